'use strict'

// Clients that do not read what they have subscribed to, under both policies.

const assert = require('node:assert/strict')
const { eventually, oursBehaviour } = require('../support')

const MB = 1 << 20
const BLOB = 'x'.repeat(64 << 10)
// A client that does not read answers no ping.
const settings = { maxBackpressure: MB, pingTimeoutDisabled: true, ackTimeout: 60000 }

const ofCode = (running, code) =>
  running.warnings.map(({ warning }) => warning).filter((warning) => warning.code === code)
const numberOf = (data) => parseInt(data, 10)
const sum = (numbers) => numbers.reduce((total, each) => total + each, 0)

/** Two readers of a channel, of which one has stopped reading, and a publisher. */
async function start(running) {
  const slow = await running.rawPair()
  const quick = await running.raw()
  const publisher = await running.raw()
  for (const client of [slow.client, quick]) await client.subscribe('much')
  slow.client.pause()
  let sent = 0
  const publish = () => publisher.publish('much', sent++ + BLOB)
  return { slow, quick, publisher, publish, sent: () => sent }
}

const consecutive = (count) => Array.from({ length: count }, (_, n) => n)

oursBehaviour(
  'with the policy close a stalled reader is dropped, and told about once',
  settings,
  async (running) => {
    const { slow, quick, publisher, publish, sent } = await start(running)
    while (slow.socket.state === 'open' && sent() < 1000) await publish()
    const isIt = () => ofCode(running, 'ERR_MAX_BACKPRESSURE').length > 0
    await running.warnings.until(isIt, 'warning')
    const [warning, ...more] = ofCode(running, 'ERR_MAX_BACKPRESSURE')
    assert.deepEqual(more, [])
    assert.equal(warning.name, 'ResourceLimitError')
    assert.equal(warning.socketId, slow.client.id)
    assert.equal(warning.limit, MB)
    assert.ok(warning.unsent > MB)
    slow.client.resume()
    // No close frame could get through.
    assert.equal(await slow.client.untilEnded(), null)
    const got = slow.client.published('much').map(numberOf)
    assert.deepEqual(got, consecutive(got.length))
    for (let n = 0; n < 5; n++) await publish()
    await quick.until(() => quick.published('much').length === sent(), 'all publications')
    assert.deepEqual(quick.published('much').map(numberOf), consecutive(sent()))
    assert.equal((await publisher.publish('much', 'x')).error, undefined)
    for (const client of [quick, publisher]) client.destroy()
    await running.untilEmpty()
    assert.equal(running.server.exchange.isSubscribed('much'), false)
  },
)

oursBehaviour(
  'with the policy drop a stalled reader loses whole messages, all of which are told',
  { ...settings, backpressurePolicy: 'drop' },
  async (running) => {
    running.procedure('echo', (request) => request.end(request.data))
    const { slow, quick, publish, sent } = await start(running)
    const losses = () => ofCode(running, 'ERR_MESSAGES_DROPPED')
    while (losses().length === 0 && sent() < 1000) await publish()
    for (let n = 0; n < 20; n++) await publish()
    const [warning] = losses()
    assert.equal(warning.name, 'ResourceLimitError')
    assert.equal(warning.socketId, slow.client.id)
    assert.equal(warning.limit, MB)
    assert.ok(warning.unsent > MB)
    assert.ok(warning.dropped > 0)
    // Answers are not dropped, and come in their place.
    slow.client.send({ event: 'echo', data: 'amid', cid: 700 })
    slow.client.send({ event: '#subscribe', data: { channel: 'other' }, cid: 701 })
    await eventually(() => slow.socket.isSubscribed('other'), 'subscription')
    slow.client.resume()
    assert.equal((await slow.client.response(700)).data, 'amid')
    await slow.client.response(701)
    const got = () => slow.client.published('much').map(numberOf)
    const dropped = () => sum(losses().map((each) => each.dropped))
    // What was not told yet is told with one of the next messages, which are not dropped.
    const oneMore = async () => {
      await publish()
      await slow.client.until(() => got().at(-1) === sent() - 1, 'the last message')
      return got().length + dropped() === sent()
    }
    await eventually(oneMore, 'report of all losses')
    // Each message that came is whole, in order, and came once.
    const numbers = got()
    assert.ok(slow.client.published('much').every((data) => data.endsWith(BLOB)))
    assert.deepEqual(
      numbers,
      numbers.toSorted((a, b) => a - b),
    )
    assert.equal(new Set(numbers).size, numbers.length)
    assert.equal(numbers.at(-1), sent() - 1)
    assert.equal(slow.client.closed, null)
    await quick.until(() => quick.published('much').length === sent(), 'all publications')
    assert.deepEqual(quick.published('much').map(numberOf), consecutive(sent()))
  },
)

oursBehaviour(
  'with the policy drop too many answers end the connection all the same',
  { ...settings, backpressurePolicy: 'drop' },
  async (running) => {
    running.procedure('echo', (request) => request.end(request.data))
    const { client, socket } = await running.rawPair()
    client.pause()
    for (let n = 0; n < 1000 && socket.state === 'open'; n++) {
      client.send({ event: 'echo', data: BLOB, cid: n + 10 })
      if (n % 16 === 0) await eventually(() => client.socket.writableLength < MB, 'room')
    }
    const isIt = () => ofCode(running, 'ERR_MAX_BACKPRESSURE').length > 0
    await running.warnings.until(isIt, 'warning')
    const [warning] = ofCode(running, 'ERR_MAX_BACKPRESSURE')
    assert.ok(warning.unsent > 2 * MB)
    await running.assertServes()
  },
)

oursBehaviour(
  'stalled readers do not hold up the others of their channel',
  { ...settings, maxBackpressure: 0 },
  async (running) => {
    const stalled = await Promise.all(Array.from({ length: 20 }, () => running.raw()))
    for (const client of stalled) {
      await client.subscribe('much')
      client.pause()
    }
    const quick = await running.raw()
    await quick.subscribe('much')
    for (let n = 0; n < 100; n++) await quick.publish('much', n + BLOB)
    await quick.until(() => quick.published('much').length === 100, 'all publications')
    assert.equal(running.server.clientsCount, 21)
    for (const client of stalled) client.destroy()
    quick.destroy()
    await running.untilEmpty()
  },
)
