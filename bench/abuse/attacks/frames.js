'use strict'

// What WebSocket itself allows.

const zlib = require('node:zlib')
const { open } = require('../client')
const { OPCODE, header } = require('../frames')
const { exactly, has, outcomeOf } = require('./outcomes')

const MB = 1024 * 1024
const FRAGMENTS = 1_000_000
// Without a context short answers are not compressed.
const DEFLATE = [
  'Sec-WebSocket-Extensions: permessage-deflate',
  'client_no_context_takeover',
  'server_no_context_takeover\r\n',
].join('; ')

async function prepareFragments({ port }) {
  const client = await open(port)
  const fragment = (opcode) => Buffer.concat([header(opcode, 1, { fin: false }), Buffer.from('[')])
  const many = Buffer.concat(Array(10_000).fill(fragment(OPCODE.CONTINUATION)))
  return async () => {
    client.write(fragment(OPCODE.TEXT))
    await client.writeAll(Array(FRAGMENTS / 10_000).fill(many))
    await client.until(() => false)
    return outcomeOf(client)
  }
}

/** A call that is small on its way and large behind it. */
const bomb = (size) =>
  async function prepare({ port }) {
    const client = await open(port, DEFLATE)
    const payload = Buffer.alloc(size, 'x')
    payload.write('{"event":"any","data":"')
    payload.write('"}', size - 2)
    const packed = zlib.deflateRawSync(payload, { finishFlush: zlib.constants.Z_SYNC_FLUSH })
    return async () => {
      client.frame(OPCODE.TEXT, packed.subarray(0, -4), { compressed: true })
      client.send('{"event":"#subscribe","data":{"channel":"c"},"cid":60}')
      await client.until((it) => it.answers === 1)
      return outcomeOf(client, { answers: client.answers })
    }
  }

module.exports = {
  fragments: {
    title: 'a message in 1 million fragments of a byte',
    app: 'full',
    prepare: prepareFragments,
    bars: { wait: 100, peak: 100, outcome: has('closed 1008') },
  },
  'bomb-90': {
    title: '90 MB in a compressed message',
    app: 'full',
    options: { perMessageDeflate: true },
    prepare: bomb(90 * MB),
    bars: { wait: 100, peak: 360, outcome: exactly({ answers: 1 }) },
  },
  'bomb-400': {
    title: '400 MB in a compressed message',
    app: 'full',
    options: { perMessageDeflate: true },
    prepare: bomb(400 * MB),
    bars: { wait: 100, peak: 200, outcome: has('closed 1009') },
  },
}
