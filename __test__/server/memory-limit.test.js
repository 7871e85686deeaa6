'use strict'

// The ceiling of all queues together (maxMemory): who is dropped, and what counts.

const assert = require('node:assert/strict')
const { OPCODE, eventually, oursBehaviour } = require('../support')

const MB = 1 << 20
const BLOB = 'x'.repeat(64 << 10)
const one = { ioThreads: 1, pingTimeoutDisabled: true }

const ofCode = (running, code) =>
  running.warnings.map(({ warning }) => warning).filter((warning) => warning.code === code)

/** A client that reads nothing after its subscription. */
async function stalled(running, channel) {
  const client = await running.raw()
  await client.subscribe(channel)
  client.pause()
  return client
}

/** Publishes so many megabytes; resolves when the publisher has all the answers. */
async function publish(publisher, channel, megabytes) {
  for (let n = 0; n < megabytes * 16; n++) await publisher.publish(channel, n + BLOB)
}

/** Sends the beginning of a message of two megabytes more, and no end. */
function begin(client, megabytes) {
  const frame = Buffer.alloc(14 + megabytes * MB, 'x')
  frame.writeUInt16BE(((0x80 | OPCODE.TEXT) << 8) | 0x80 | 127)
  frame.writeBigUInt64BE(BigInt((megabytes + 2) * MB), 2)
  // A mask of zeros.
  frame.writeUInt32BE(0, 10)
  client.write(frame)
}

const written = (client) =>
  eventually(() => client.socket.writableLength === 0 || client.gone(), 'all written')

oursBehaviour(
  'above maxMemory the heaviest is dropped, and the others live',
  { ...one, maxMemory: 24 * MB, maxBackpressure: 0 },
  async (running) => {
    const publisher = await running.raw()
    const light = await Promise.all([1, 2, 3].map(() => stalled(running, 'little')))
    const heavy = await stalled(running, 'much')
    await publish(publisher, 'little', 8)
    assert.equal(running.warnings.length, 0)
    await publish(publisher, 'much', 32)
    await running.warnings.until(() => ofCode(running, 'ERR_MAX_MEMORY').length > 0)
    const [warning] = ofCode(running, 'ERR_MAX_MEMORY')
    assert.equal(warning.name, 'ResourceLimitError')
    assert.equal(warning.socketId, heavy.id)
    assert.equal(warning.limit, 24 * MB)
    assert.ok(warning.held > 8 * MB, `${warning.held} bytes of one`)
    heavy.resume()
    assert.equal(await heavy.untilEnded(), null)
    for (const client of light) {
      client.resume()
      await client.until(() => client.published('little').length === 128, 'all messages', 10000)
      assert.equal(client.gone(), false)
    }
    assert.equal(ofCode(running, 'ERR_MAX_MEMORY').length, 1)
    await running.assertServes()
  },
)

oursBehaviour(
  'what many slow readers share counts once towards maxMemory',
  { ...one, maxMemory: 8 * MB },
  async (running) => {
    const publisher = await running.raw()
    const readers = await Promise.all(Array.from({ length: 80 }, () => stalled(running, 'all')))
    await publish(publisher, 'all', 6)
    for (const client of readers.splice(0, 4)) {
      client.resume()
      await client.until(() => client.published('all').length === 96, 'all messages', 10000)
    }
    assert.deepEqual(ofCode(running, 'ERR_MAX_MEMORY'), [])
    assert.equal(running.server.clientsCount, 81)
  },
)

oursBehaviour(
  'big messages that have only begun count towards maxMemory',
  { ...one, maxMemory: 12 * MB },
  async (running) => {
    const small = await running.raw()
    begin(small, 1)
    const next = await running.raw()
    begin(next, 1)
    await Promise.all([written(small), written(next)])
    const large = await running.raw()
    begin(large, 10)
    await large.untilEnded()
    await running.warnings.until(() => ofCode(running, 'ERR_MAX_MEMORY').length > 0)
    await running.assertServes()
    const evicted = ofCode(running, 'ERR_MAX_MEMORY')
    assert.deepEqual(
      evicted.map((warning) => warning.socketId),
      [large.id],
    )
    assert.equal(small.gone() || next.gone(), false)
  },
)

oursBehaviour(
  'what clients held is not counted any more when they have left',
  { ...one, maxMemory: 12 * MB },
  async (running) => {
    for (let round = 0; round < 4; round++) {
      const before = running.server.clientsCount
      const client = await running.raw()
      begin(client, 6)
      await written(client)
      client.destroy()
      await eventually(() => running.server.clientsCount === before, 'one client less')
      const reader = await stalled(running, 'c')
      await publish(await running.raw(), 'c', 6)
      reader.destroy()
      await eventually(() => running.server.clientsCount === before + 1, 'the reader gone')
    }
    assert.deepEqual(ofCode(running, 'ERR_MAX_MEMORY'), [])
    await running.assertServes()
  },
)

oursBehaviour('maxMemory may be no limit', { ...one, maxMemory: 0 }, async (running) => {
  const client = await running.raw()
  begin(client, 8)
  await running.assertServes()
  assert.equal(client.gone(), false)
})
