'use strict'

const assert = require('node:assert/strict')
const codec = require('sc-codec-min-bin')
const { consume, eventually, oursBehaviour } = require('../support')

const SIZE = 300000

oursBehaviour('a Buffer can be changed as soon as send returns', async (running) => {
  const { client, socket } = await running.rawPair()
  client.pause()
  const bytes = Buffer.alloc(SIZE)
  for (let n = 1; n <= 20; n++) {
    bytes.fill(n)
    socket.send(bytes)
  }
  bytes.fill(255)
  client.resume()
  await client.until(() => client.binaries.length === 20, 'twenty messages')
  client.binaries.forEach((each, n) => {
    assert.equal(each.length, SIZE)
    assert.ok(
      each.every((byte) => byte === n + 1),
      `message ${n + 1} was changed`,
    )
  })
})

oursBehaviour('an ArrayBuffer can be transferred as soon as send returns', async (running) => {
  const { client, socket } = await running.rawPair()
  client.pause()
  for (let n = 1; n <= 10; n++) {
    const memory = new ArrayBuffer(SIZE)
    new Uint8Array(memory).fill(n)
    socket.send(Buffer.from(memory))
    structuredClone(memory, { transfer: [memory] })
    assert.equal(memory.byteLength, 0)
  }
  client.resume()
  await client.until(() => client.binaries.length === 10, 'ten messages')
  client.binaries.forEach((each, n) => assert.ok(each.every((byte) => byte === n + 1)))
})

oursBehaviour('a view of a larger buffer sends its own part only', async (running) => {
  const { client, socket } = await running.rawPair()
  const whole = Buffer.from('secret-visible-secret')
  socket.send(whole.subarray(7, 14))
  await client.until(() => client.binaries.length === 1)
  assert.equal(client.binaries[0].toString(), 'visible')
})

oursBehaviour('an empty Buffer is an empty message', async (running) => {
  const { client, socket } = await running.rawPair()
  socket.send(Buffer.alloc(0))
  await client.until(() => client.binaries.length === 1)
  assert.equal(client.binaries[0].length, 0)
})

oursBehaviour('a received Buffer belongs to its reader', async (running) => {
  const { client, socket } = await running.rawPair()
  const kept = []
  consume(socket.listener('message'), ({ message }) => {
    if (Buffer.isBuffer(message)) kept.push(message)
  })
  for (let n = 1; n <= 100; n++) client.sendBinary(Buffer.alloc(1000, n))
  await eventually(() => kept.length === 100, 'hundred messages')
  kept[0].fill(0)
  kept.slice(1).forEach((each, n) => assert.ok(each.every((byte) => byte === n + 2)))
})

oursBehaviour(
  'what a codec encoded can be changed after it was handed over',
  () => {
    const shared = Buffer.alloc(100000)
    const encode = (packet) => {
      const bytes = Buffer.from(codec.encode(packet))
      shared.fill(0)
      bytes.copy(shared)
      return shared.subarray(0, bytes.length)
    }
    return { codecEngine: { encode, decode: codec.decode } }
  },
  async (running) => {
    const { client, socket } = await running.pair({ codecEngine: codec })
    const got = []
    consume(client.receiver('n'), (data) => {
      got.push(data)
    })
    for (let n = 0; n < 50; n++) socket.transmit('n', `${n}`.repeat(500))
    await eventually(() => got.length === 50, 'fifty messages')
    assert.deepEqual(
      got,
      Array.from({ length: 50 }, (_, n) => `${n}`.repeat(500)),
    )
  },
)
