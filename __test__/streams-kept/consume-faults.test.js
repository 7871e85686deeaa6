'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { eventually, once, quiet, record, within } = require('../support')
const { createKept } = require('./fake-streams')

const CHANNEL = 'kept/orders'

/** Keeps what a handler gets; each message fails as often as `fails` says. */
function handling(fails = {}) {
  const seen = []
  const left = new Map(Object.entries(fails))
  const handler = async ({ data, offset, delivery }) => {
    seen.push([data, offset, delivery])
    const count = left.get(String(data)) || 0
    if (count === 0) return
    left.set(String(data), count - 1)
    throw new TypeError(`no ${data}`)
  }
  return { seen, handler }
}

/** A handler whose calls end when the test says so. */
function held() {
  const calls = []
  const handler = (message, signal) =>
    new Promise((resolve, reject) => calls.push({ message, signal, resolve, reject }))
  return { calls, handler }
}

const upTo = (consumer, offset) =>
  eventually(() => consumer.position && consumer.position.offset === offset, `position ${offset}`)

test('what the core refuses is an error event and tried again', async () => {
  const { exchange, streams } = createKept()
  streams.fail('#committed', 'ERR_STORAGE')
  const { seen, handler } = handling()
  const consumer = exchange.consume('c', { channel: CHANNEL }, handler)
  const errors = record(consumer, 'error')
  await errors.count(1)
  await eventually(() => consumer.position)
  streams.fail('#history', 'ERR_STREAM_BUSY')
  streams.fail('#commit', 'ERR_STORAGE')
  await exchange.invokePublish(CHANNEL, 'a')
  await upTo(consumer, 1)
  await eventually(() => streams.committed.get(`c ${CHANNEL}`).offset === 1)
  assert.deepEqual(errors.map(({ error }) => error.code).sort(), [
    'ERR_STORAGE',
    'ERR_STORAGE',
    'ERR_STREAM_BUSY',
  ])
  assert.deepEqual(seen, [['a', 1, 1]])
  await consumer.close()
  assert.equal(streams.held, 0)
})

test('it can be closed while the core refuses everything', async () => {
  const { exchange, streams } = createKept()
  for (const event of ['#committed', '#history', '#commit']) {
    streams.fail(event, ...Array(9).fill('ERR_STORAGE'))
  }
  const consumer = exchange.consume('c', { channel: CHANNEL }, async () => {})
  await once(consumer, 'error')
  await within(consumer.close(), 'end of the consumer')
  assert.equal(streams.held, 0)
})

test('a dead letter that cannot be published is tried again before the message is done', async () => {
  const { exchange, streams } = createKept()
  const { handler } = handling({ bad: 9 })
  const options = { channel: CHANNEL, maxDeliveries: 1, deadLetter: 'kept/dead' }
  const consumer = exchange.consume('c', options, handler)
  const errors = record(consumer, 'error')
  await eventually(() => consumer.position)
  streams.append(CHANNEL, 'bad')
  streams.fail('#publish', 'ERR_STREAM_FULL')
  const letter = once(consumer, 'deadLetter')
  consumer._wake({ epoch: 'e1', offset: 1 })
  await errors.count(1)
  assert.equal(consumer.position.offset, 0)
  await letter
  await upTo(consumer, 1)
  const keys = streams.asked('#publish').map(({ key }) => key)
  assert.deepEqual(keys, ['c:e1:1', 'c:e1:1'])
  await consumer.close()
})

test('a dead letter goes through replaced methods, without a key', async () => {
  const { exchange, broker, streams } = createKept()
  const original = broker.invokePublish
  broker.invokePublish = function (...args) {
    return original.apply(this, args)
  }
  const { handler } = handling({ bad: 1 })
  const options = { channel: CHANNEL, maxDeliveries: 1, deadLetter: 'kept/dead' }
  const consumer = exchange.consume('c', options, handler)
  const letter = once(consumer, 'deadLetter')
  await exchange.invokePublish(CHANNEL, 'bad')
  await letter
  await upTo(consumer, 1)
  assert.deepEqual(
    streams.asked('#publish').map(({ channel, key }) => [channel, key]),
    [
      [CHANNEL, undefined],
      ['kept/dead', undefined],
    ],
  )
  await consumer.close()
})

test('an error that nobody listens for is one of the broker', async () => {
  const { exchange, broker } = createKept()
  const { handler } = handling({ bad: 1 })
  const consumer = exchange.consume('c', { channel: CHANNEL, maxDeliveries: 1 }, handler)
  await eventually(() => consumer.position)
  const error = once(broker, 'error')
  await exchange.invokePublish(CHANNEL, 'bad')
  assert.equal((await error).error.message, 'no bad')
  await upTo(consumer, 1)
  assert.equal(consumer.stats().dropped, 1)
  await consumer.close()
})

test('what retention or a restart took is a gap, and the rest is handled', async () => {
  const { exchange, streams } = createKept()
  const { seen, handler } = handling()
  let consumer = exchange.consume('c', { channel: CHANNEL }, handler)
  await exchange.invokePublish(CHANNEL, 'a')
  await upTo(consumer, 1)
  await consumer.close()
  for (const data of ['b', 'c', 'd']) await exchange.invokePublish(CHANNEL, data)
  streams.trim(CHANNEL, 3)

  consumer = exchange.consume('c', { channel: CHANNEL }, handler)
  const gaps = record(consumer, 'gap')
  await upTo(consumer, 4)
  streams.restart(CHANNEL)
  await exchange.invokePublish(CHANNEL, 'e')
  await eventually(() => consumer.position.epoch === 'e2' && consumer.position.offset === 1)
  assert.deepEqual(gaps.slice(), [
    { from: { epoch: 'e1', offset: 1 }, to: { epoch: 'e1', offset: 3 } },
    { from: { epoch: 'e1', offset: 4 }, to: { epoch: 'e2', offset: 0 } },
  ])
  assert.deepEqual(
    seen.map(([data]) => data),
    ['a', 'd', 'e'],
  )
  await consumer.close()
})

test('an idle consumer asks nothing', async () => {
  const { exchange, streams } = createKept()
  const consumer = exchange.consume('c', { channel: CHANNEL }, async () => {})
  await exchange.invokePublish(CHANNEL, 'a')
  await upTo(consumer, 1)
  await quiet()
  const count = streams.requests.length
  await quiet()
  assert.equal(streams.requests.length, count)
  await consumer.close()
})

test('it reads ahead, and runs ahead of an unfinished message, by so much', async () => {
  const { exchange, streams } = createKept()
  for (let number = 1; number <= 1000; number++) streams.append(CHANNEL, number)
  const { calls, handler } = held()
  const options = { channel: CHANNEL, from: 'earliest', concurrency: 2 }
  const consumer = exchange.consume('c', options, handler)
  await eventually(() => calls.length === 2)
  let most = 0
  for (let done = 1; calls[done]; done++) {
    calls[done].resolve()
    await new Promise((resolve) => setImmediate(resolve))
    await quiet(3)
    most = Math.max(most, consumer.stats().buffered)
  }
  assert.equal(consumer.position.offset, 0)
  assert.equal(calls.length, 100)
  assert.ok(most <= 100, `${most} messages were buffered`)
  calls[0].resolve()
  await upTo(consumer, 100)
  await eventually(() => calls.length > 100)
  const closed = consumer.close()
  for (const { resolve } of calls) resolve()
  await closed
})

test('close waits for what is under way, stores the position and takes on nothing more', async () => {
  const { exchange, streams } = createKept()
  const { calls, handler } = held()
  const consumer = exchange.consume('c', { channel: CHANNEL, from: 'earliest' }, handler)
  for (const data of ['a', 'b']) await exchange.invokePublish(CHANNEL, data)
  await eventually(() => calls.length === 1)
  const closed = consumer.close()
  assert.equal(consumer.close(), closed)
  let ended = false
  closed.then(() => (ended = true))
  await quiet(20)
  assert.equal(ended, false)
  calls[0].resolve()
  await within(closed, 'end of the consumer')
  assert.deepEqual(streams.committed.get(`c ${CHANNEL}`), { epoch: 'e1', offset: 1 })
  assert.equal(calls.length, 1)
})

test('close cuts a pause before a redelivery short, and the message stays undone', async () => {
  const { exchange, streams } = createKept()
  const { handler } = handling({ bad: 1 })
  const options = { channel: CHANNEL, from: 'earliest', retryDelay: 60_000 }
  const consumer = exchange.consume('c', options, handler)
  const redelivery = once(consumer, 'redelivery')
  await exchange.invokePublish(CHANNEL, 'bad')
  assert.equal((await redelivery).delay, 60_000)
  await within(consumer.close(), 'end of the consumer')
  assert.deepEqual(streams.committed.get(`c ${CHANNEL}`), { epoch: 'e1', offset: 0 })
})

const REFUSED = [
  ['no name', ['', { channel: CHANNEL }, () => {}]],
  ['a long name', ['x'.repeat(129), { channel: CHANNEL }, () => {}]],
  ['no options', ['c', undefined, () => {}]],
  ['no channel', ['c', {}, () => {}]],
  ['no handler', ['c', { channel: CHANNEL }]],
  ['no concurrency', ['c', { channel: CHANNEL, concurrency: 0 }, () => {}]],
  ['an endless ackTimeout', ['c', { channel: CHANNEL, ackTimeout: Infinity }, () => {}]],
  ['no deliveries', ['c', { channel: CHANNEL, maxDeliveries: 0 }, () => {}]],
  ['a retryDelay below 0', ['c', { channel: CHANNEL, retryDelay: -1 }, () => {}]],
  ['itself as deadLetter', ['c', { channel: CHANNEL, deadLetter: CHANNEL }, () => {}]],
  ['a bad position', ['c', { channel: CHANNEL, from: { offset: 1 } }, () => {}], 'BAD_POSITION'],
  ['a plain channel', ['c', { channel: 'plain' }, () => {}], 'NOT_KEPT'],
]

for (const [what, args, code = 'BAD_REQUEST'] of REFUSED) {
  test(`a consumer with ${what} is refused`, () => {
    const { exchange, streams } = createKept()
    const expected = { name: 'StreamError', code: `ERR_${code}` }
    assert.throws(() => exchange.consume(...args), expected)
    assert.equal(streams.held, 0)
  })
}

test('only one consumer of a name and channel is open', async () => {
  const { exchange } = createKept()
  const open = (name, channel) => exchange.consume(name, { channel }, async () => {})
  const consumers = [open('c', CHANNEL), open('d', CHANNEL), open('c', 'kept/other')]
  assert.throws(() => open('c', CHANNEL), { code: 'ERR_BAD_REQUEST' })
  await consumers[0].close()
  consumers.push(open('c', CHANNEL))
  await Promise.all(consumers.map((each) => each.close()))
})
