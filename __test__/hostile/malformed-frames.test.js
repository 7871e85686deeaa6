'use strict'

const assert = require('node:assert/strict')
const { encodeFrame, OPCODE } = require('../support')
const { survives } = require('./serving')

const { TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG } = OPCODE

/** What breaks the framing, and the code with which the connection must be closed. */
const broken = {
  'an unmasked frame': [1002, encodeFrame(TEXT, '{}', { mask: false })],
  'a frame with RSV2': [1002, encodeFrame(TEXT, '{}', { rsv: 2 })],
  'a frame with RSV3': [1002, encodeFrame(TEXT, '{}', { rsv: 1 })],
  'a reserved data opcode': [1002, encodeFrame(3, 'x')],
  'a reserved control opcode': [1002, encodeFrame(11, 'x')],
  'a continuation of nothing': [1002, encodeFrame(CONTINUATION, 'x')],
  'a fragmented ping': [1002, encodeFrame(PING, 'x', { fin: false })],
  'a ping of 126 bytes': [1002, encodeFrame(PING, 'x'.repeat(126))],
  'a close frame of one byte': [1002, encodeFrame(CLOSE, Buffer.from([3]))],
  'a close frame with code 999': [1002, encodeFrame(CLOSE, Buffer.from([3, 231]))],
  'a close frame with code 1005': [1002, encodeFrame(CLOSE, Buffer.from([3, 237]))],
  'a close frame with code 5000': [1002, encodeFrame(CLOSE, Buffer.from([19, 136]))],
  'a close reason which is not UTF-8': [1007, encodeFrame(CLOSE, Buffer.from([3, 232, 255]))],
  'a new message inside another': [
    1002,
    Buffer.concat([encodeFrame(TEXT, 'a', { fin: false }), encodeFrame(TEXT, 'b')]),
  ],
  'a length with its highest bit set': [
    1009,
    encodeFrame(TEXT, 'x', { form: 64, length: 0x8000000000000000n }),
  ],
  'a length of 2^53': [1009, encodeFrame(TEXT, 'x', { form: 64, length: 2n ** 53n })],
  'a length of 1 TB': [1009, encodeFrame(BINARY, 'x', { form: 64, length: 2n ** 40n })],
}

for (const [name, [code, bytes]] of Object.entries(broken)) {
  survives(`${name} closes with ${code}`, async (running) => {
    const client = await running.raw()
    client.write(bytes)
    assert.equal((await client.untilClosed()).code, code)
    await client.untilEnded()
  })
}

survives('frames of every kind in single bytes are read', async (running) => {
  const { client, socket } = await running.rawPair()
  const received = socket.receiver('slowly').once(5000)
  const bytes = Buffer.concat([
    encodeFrame(TEXT, '{"event":"slo', { fin: false }),
    encodeFrame(PING, 'amid'),
    encodeFrame(CONTINUATION, '', { fin: false }),
    encodeFrame(PONG, 'nobody asked'),
    encodeFrame(CONTINUATION, 'wly","data":"é"}'),
  ])
  for (const byte of bytes) client.write(Buffer.from([byte]))
  assert.equal(await received, 'é')
  await client.until(() => client.pongs.length === 1, 'pong')
  assert.deepEqual(client.pongs, ['amid'])
})

survives('a frame which is cut off by the end of TCP', async (running) => {
  const client = await running.raw()
  client.write(encodeFrame(TEXT, 'x'.repeat(1000)).subarray(0, 20))
  client.socket.end()
  await client.untilEnded()
})

survives('a reset in the middle of a frame', async (running) => {
  const client = await running.raw()
  client.write(encodeFrame(TEXT, 'x'.repeat(1000)).subarray(0, 20))
  client.socket.resetAndDestroy()
  await client.untilEnded()
})

survives('a length in a longer form than it needs is read', async (running) => {
  const { client, socket } = await running.rawPair()
  const received = socket.receiver('x').once(5000)
  client.frame(TEXT, '{"event":"x","data":1}', { form: 64 })
  assert.equal(await received, 1)
})

survives('20,000 pings whose pongs nobody reads', async (running) => {
  const client = await running.raw()
  client.pause()
  const ping = encodeFrame(PING, 'x'.repeat(100))
  client.write(Buffer.concat(Array(20000).fill(ping)))
  await running.assertServes()
})

survives('100,000 fragments of one byte', async (running) => {
  const client = await running.raw()
  const part = encodeFrame(CONTINUATION, 'x', { fin: false })
  client.frame(TEXT, 'x', { fin: false })
  client.write(Buffer.concat(Array(100000).fill(part)))
  assert.equal((await client.untilClosed()).code, 1008)
})

survives('bytes which are no HTTP at all', async (running) => {
  const { RawClient } = require('../support')
  const client = new RawClient({ port: running.port })
  await client.connectTcp()
  client.write(Buffer.from('\x16\x03\x01garbage\r\n\r\n', 'latin1'))
  await client.untilEnded()
  assert.notEqual(client.status, 101)
})

survives('extension offers which name prototype keys', async (running) => {
  for (const offer of ['constructor', '__proto__; a=b', ',;=', 'permessage-deflate; __proto__']) {
    const client = await running.open({ headers: { 'Sec-WebSocket-Extensions': offer } })
    assert.ok([101, 400].includes(client.status), `${offer}: ${client.status}`)
  }
})
