'use strict'

const assert = require('node:assert/strict')
const codec = require('sc-codec-min-bin')
const { behaviour, consume, eventually, once, OPCODE } = require('../support')

// This codec carries ArrayBuffers as binary data.
const bytes = (...list) => new Uint8Array(list).buffer
const BYTES = bytes(0, 1, 127, 128, 255)
const withCodec = { codecEngine: codec }

behaviour('rpc carries binary data both ways', withCodec, async (running) => {
  running.procedure('bytes', (request) => {
    assert.deepEqual(request.data.file, BYTES)
    request.end({ back: bytes(9, 255, 0) })
  })
  const { client } = await running.pair(withCodec)
  const answer = await client.invoke('bytes', { file: BYTES })
  assert.deepEqual(answer.back, bytes(9, 255, 0))
})

behaviour('two subscribers get the bytes which a third published', withCodec, async (running) => {
  const pairs = await Promise.all([1, 2, 3].map(() => running.pair(withCodec)))
  const got = pairs.slice(1).map(({ client }) => client.subscribe('files').once(5000))
  await eventually(
    () => pairs.slice(1).every(({ socket }) => socket.isSubscribed('files')),
    'two subscriptions',
  )
  await pairs[0].client.invokePublish('files', { name: 'a', file: BYTES })
  for (const { name, file } of await Promise.all(got)) {
    assert.equal(name, 'a')
    assert.deepEqual(file, BYTES)
  }
})

behaviour('the exchange hears bytes and publishes bytes', withCodec, async (running) => {
  const { client } = await running.pair(withCodec)
  const heard = running.server.exchange.subscribe('up').once(5000)
  await client.invokePublish('up', BYTES)
  assert.deepEqual(await heard, BYTES)
  const channel = client.subscribe('down')
  await once(channel, 'subscribe')
  const received = channel.once(5000)
  await running.server.exchange.invokePublish('down', BYTES)
  assert.deepEqual(await received, BYTES)
})

behaviour('batches carry bytes', { ...withCodec, batchInterval: 15 }, async (running) => {
  running.procedure('bytes', (request) => request.end(request.data))
  const { client, socket } = await running.pair(withCodec)
  client.startBatching()
  socket.startBatching()
  const parts = [1, 2, 3].map((n) => bytes(n, 255))
  const answers = await Promise.all(parts.map((part) => client.invoke('bytes', part)))
  assert.deepEqual(answers, parts)
})

behaviour(
  'frames of a binary codec are binary, pings stay text',
  { ...withCodec, pingInterval: 30 },
  async (running) => {
    const client = await running.open()
    client.sendBinary(Buffer.from(codec.encode({ event: '#handshake', data: {}, cid: 1 })))
    await client.until(() => client.binaries.length === 1 && client.pings >= 1)
    const answer = codec.decode(client.binaries[0])
    assert.equal(answer.rid, 1)
    assert.equal(answer.data.isAuthenticated, false)
    assert.ok(
      client.frames.some(({ opcode, payload }) => opcode === OPCODE.TEXT && !payload.length),
    )
  },
)

behaviour('a codec sees every packet and may be of any form', async (running) => {
  const seen = []
  const upsideDown = {
    encode: (packet) => `!${JSON.stringify(packet)}`,
    decode: (message) => {
      seen.push(message)
      return message[0] === '!' ? JSON.parse(message.slice(1)) : null
    },
  }
  running.server.setCodecEngine(upsideDown)
  const client = await running.open()
  client.send('!{"event":"#handshake","data":{},"cid":1}')
  await client.until(() => client.texts.length === 1)
  assert.match(client.texts[0], /^!\{"rid":1,"data":/)
  client.send('!{"event":"#subscribe","data":{"channel":"a"},"cid":2}')
  await client.until(() => client.texts.length === 2)
  running.server.exchange.transmitPublish('a', 5)
  await client.until(() => client.texts.length === 3)
  assert.equal(client.texts[2], '!{"event":"#publish","data":{"channel":"a","data":5}}')
  assert.equal(seen.length, 2)
})

behaviour('an error of the codec is an error of the socket', async (running) => {
  const broken = {
    encode: JSON.stringify,
    decode: (message) => {
      const text = message.toString()
      if (text.includes('poison')) throw new Error('cannot read that')
      return JSON.parse(text)
    },
  }
  running.server.setCodecEngine(broken)
  const { client, socket } = await running.rawPair()
  const errors = []
  consume(socket.listener('error'), ({ error }) => {
    errors.push(error)
  })
  client.send('poison')
  await client.subscribe('still-open')
  assert.equal(errors.length, 1)
  assert.equal(errors[0].name, 'InvalidMessageError')
  assert.equal(errors[0].message, 'cannot read that')
})
