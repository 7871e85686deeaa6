'use strict'

const zlib = require('node:zlib')

const TAIL = Buffer.from([0, 0, 0xff, 0xff])
const FLUSH = { finishFlush: zlib.constants.Z_SYNC_FLUSH }

/** Inflates the messages of one permessage-deflate connection, with or without a shared context. */
class Inflater {
  constructor(takeover) {
    this.stream = takeover ? zlib.createInflateRaw() : null
  }

  inflate(payload) {
    const bytes = Buffer.concat([payload, TAIL])
    if (!this.stream) return Promise.resolve(zlib.inflateRawSync(bytes, FLUSH))
    return new Promise((resolve, reject) => {
      const parts = []
      const collect = (part) => parts.push(part)
      this.stream.on('data', collect)
      this.stream.once('error', reject)
      this.stream.write(bytes)
      this.stream.flush(() => {
        this.stream.off('data', collect)
        this.stream.off('error', reject)
        resolve(Buffer.concat(parts))
      })
    })
  }
}

/** The payload of one compressed frame, as a client without context takeover sends it. */
function deflate(bytes) {
  const packed = zlib.deflateRawSync(bytes, FLUSH)
  return packed.subarray(0, packed.length - TAIL.length)
}

module.exports = { Inflater, deflate }
