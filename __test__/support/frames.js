'use strict'

const MASK = Buffer.from([0x12, 0x34, 0x56, 0x78])
const OPCODE = { CONTINUATION: 0, TEXT: 1, BINARY: 2, CLOSE: 8, PING: 9, PONG: 10 }

/**
 * The bytes of one WebSocket frame, correct or not: `fin`, `rsv` (three bits, RSV1 is 4), `mask`,
 * `length` (the declared length, when it must differ) and `form` (7, 16 or 64 bits of length).
 */
function encodeFrame(opcode, payload = '', options = {}) {
  const { fin = true, rsv = 0, mask = true } = options
  const body = Buffer.isBuffer(payload) ? payload : Buffer.from(payload)
  const length = options.length === undefined ? body.length : options.length
  const form = options.form || (length > 65535 ? 64 : length > 125 ? 16 : 7)
  const head = Buffer.alloc(form === 64 ? 10 : form === 16 ? 4 : 2)
  head[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode
  head[1] = (mask ? 0x80 : 0) | (form === 64 ? 127 : form === 16 ? 126 : length)
  if (form === 64) head.writeBigUInt64BE(BigInt.asUintN(64, BigInt(length)), 2)
  if (form === 16) head.writeUInt16BE(length, 2)
  if (!mask) return Buffer.concat([head, body])
  const masked = Buffer.alloc(body.length)
  for (let i = 0; i < body.length; i++) masked[i] = body[i] ^ MASK[i & 3]
  return Buffer.concat([head, MASK, masked])
}

const closeBody = (code, reason = '') => {
  const head = Buffer.alloc(2)
  head.writeUInt16BE(code)
  return Buffer.concat([head, Buffer.from(reason)])
}

/** Reads one frame from the start of `bytes`; null while it is not complete. */
function decodeFrame(bytes) {
  if (bytes.length < 2) return null
  let length = bytes[1] & 127
  let start = 2
  if (length === 126) {
    if (bytes.length < 4) return null
    length = bytes.readUInt16BE(2)
    start = 4
  } else if (length === 127) {
    if (bytes.length < 10) return null
    length = Number(bytes.readBigUInt64BE(2))
    start = 10
  }
  if (bytes.length < start + length) return null
  return {
    opcode: bytes[0] & 15,
    fin: (bytes[0] & 0x80) !== 0,
    rsv1: (bytes[0] & 0x40) !== 0,
    masked: (bytes[1] & 0x80) !== 0,
    payload: Buffer.from(bytes.subarray(start, start + length)),
    size: start + length,
  }
}

module.exports = { OPCODE, closeBody, decodeFrame, encodeFrame }
