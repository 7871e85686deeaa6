'use strict'

const assert = require('node:assert/strict')
const { after, before, describe, test } = require('node:test')
const {
  collected,
  eventually,
  kept,
  once,
  record,
  startKept,
  temporaryDirectory,
} = require('./support')

const upTo = (consumer, offset) =>
  eventually(() => consumer.position && consumer.position.offset === offset, `position ${offset}`)

describe('a consumer', () => {
  let running
  let exchange

  before(async () => {
    running = await startKept()
    ;({ exchange } = running.server)
  })
  after(() => running.stop())

  /** A consumer that keeps what it gets. */
  function keeping(name, options, handle = async () => {}) {
    const seen = []
    const consumer = exchange.consume(name, options, async (message, signal) => {
      seen.push(message)
      return handle(message, signal)
    })
    return { consumer, seen }
  }

  test('handles what is published after it began, in order', async () => {
    const channel = kept()
    await exchange.invokePublish(channel, 'old')
    const under = []
    const { consumer, seen } = keeping('c', { channel }, async () => {
      under.push('begin')
      await new Promise((resolve) => setImmediate(resolve))
      under.push('end')
    })
    const raw = await running.raw()
    for (const data of ['a', { b: 1 }]) await exchange.invokePublish(channel, data)
    await raw.publish(channel, null)
    await upTo(consumer, 4)
    const { epoch } = consumer.position
    assert.deepEqual(
      seen.map(({ timestamp: _, ...message }) => message),
      ['a', { b: 1 }, null].map((data, index) => ({
        ...{ data, channel, epoch, offset: index + 2, delivery: 1 },
      })),
    )
    for (const { timestamp } of seen) assert.ok(Math.abs(timestamp - Date.now()) < 60_000)
    assert.deepEqual(under, ['begin', 'end', 'begin', 'end', 'begin', 'end'])
    const { delivered, acked, behind, inFlight } = consumer.stats()
    assert.deepEqual([delivered, acked, behind, inFlight], [3, 3, 0, 0])
    await consumer.close()
  })

  test('begins with the oldest message, or after a position', async () => {
    const channel = kept('few')
    let place
    for (const data of ['a', 'b', 'c', 'd', 'e']) {
      const result = await exchange.invokePublish(channel, data)
      if (data === 'd') place = result
    }
    const oldest = keeping('oldest', { channel, from: 'earliest' })
    const later = keeping('later', { channel, from: place })
    await Promise.all([upTo(oldest.consumer, 5), upTo(later.consumer, 5)])
    const data = ({ seen }) => seen.map((message) => message.data)
    assert.deepEqual([data(oldest), data(later)], [['c', 'd', 'e'], ['e']])
    await Promise.all([oldest.consumer.close(), later.consumer.close()])
  })

  test('goes on where it was when it was closed', async () => {
    const channel = kept()
    const first = keeping('c', { channel, from: 'earliest' })
    await exchange.invokePublish(channel, 'a')
    await upTo(first.consumer, 1)
    await first.consumer.close()
    await exchange.invokePublish(channel, 'b')
    const second = keeping('c', { channel, from: 'earliest' })
    await upTo(second.consumer, 2)
    assert.deepEqual(
      second.seen.map(({ data }) => data),
      ['b'],
    )
    await second.consumer.close()
  })

  test('handles so many at a time, and its position leaves none behind', async () => {
    const channel = kept()
    const calls = []
    const consumer = exchange.consume(
      'c',
      { channel, concurrency: 3 },
      (message) => new Promise((resolve) => calls.push({ message, resolve })),
    )
    for (let number = 1; number <= 5; number++) await exchange.invokePublish(channel, number)
    await eventually(() => calls.length === 3)
    assert.equal(consumer.stats().inFlight, 3)
    calls[1].resolve()
    await eventually(() => calls.length === 4)
    assert.equal(consumer.position.offset, 0)
    calls[0].resolve()
    await upTo(consumer, 2)
    await eventually(() => calls.length === 5)
    for (const { resolve } of calls) resolve()
    await upTo(consumer, 5)
    assert.deepEqual(
      calls.map(({ message }) => message.offset),
      [1, 2, 3, 4, 5],
    )
    await consumer.close()
  })

  test('delivers again what failed, after longer and longer pauses', async () => {
    const channel = kept()
    let failures = 3
    const { consumer, seen } = keeping('c', { channel, retryDelay: 5 }, async ({ data }) => {
      if (data === 'bad' && failures-- > 0) throw new TypeError('not yet')
    })
    const redeliveries = record(consumer, 'redelivery')
    for (const data of ['bad', 'good']) await exchange.invokePublish(channel, data)
    await upTo(consumer, 2)
    assert.deepEqual(
      seen.map(({ data, delivery }) => [data, delivery]),
      [
        ['bad', 1],
        ['bad', 2],
        ['bad', 3],
        ['bad', 4],
        ['good', 1],
      ],
    )
    assert.deepEqual(
      redeliveries.map(({ offset, delivery, delay, error }) => [
        ...[offset, delivery, delay, error.name],
      ]),
      [
        [1, 2, 5, 'TypeError'],
        [1, 3, 10, 'TypeError'],
        [1, 4, 20, 'TypeError'],
      ],
    )
    await consumer.close()
  })

  test('takes a handler that needs too long for one that failed, and tells it', async () => {
    const channel = kept()
    const signals = []
    const options = { channel, ackTimeout: 20, retryDelay: 1 }
    const { consumer } = keeping('c', options, ({ delivery }, signal) => {
      signals.push(signal)
      return delivery === 1 ? new Promise(() => {}) : undefined
    })
    const redelivery = once(consumer, 'redelivery')
    await exchange.invokePublish(channel, 'slow')
    assert.equal((await redelivery).error.name, 'TimeoutError')
    await upTo(consumer, 1)
    assert.deepEqual(
      signals.map(({ aborted }) => aborted),
      [true, false],
    )
    assert.equal(signals[0].reason.name, 'TimeoutError')
    await consumer.close()
  })

  test('gives a message up to another channel', async () => {
    const [channel, deadLetter] = [kept(), kept()]
    const letters = collected(exchange.subscribe(deadLetter))
    const options = { channel, deadLetter, maxDeliveries: 2, retryDelay: 1 }
    const { consumer, seen } = keeping('c', options, async ({ data }) => {
      if (data.bad) throw new RangeError('too bad')
    })
    const events = record(consumer, 'deadLetter')
    const place = await exchange.invokePublish(channel, { bad: true })
    await exchange.invokePublish(channel, {})
    await upTo(consumer, 2)
    const letter = {
      consumer: 'c',
      channel,
      ...place,
      deliveries: 2,
      error: { name: 'RangeError', message: 'too bad' },
      data: { bad: true },
    }
    await letters.count(1)
    assert.deepEqual(letters.slice(), [letter])
    assert.deepEqual(events.slice(), [letter])
    assert.equal(seen.length, 3)
    assert.equal(consumer.stats().deadLettered, 1)
    await consumer.close()
  })

  test('drops a message with an error event where there is no such channel', async () => {
    const channel = kept()
    const options = { channel, maxDeliveries: 1 }
    const { consumer } = keeping('c', options, () => Promise.reject('just so'))
    const errors = record(consumer, 'error')
    const place = await exchange.invokePublish(channel, 1)
    await upTo(consumer, 1)
    assert.deepEqual(errors.slice(), [{ error: 'just so', ...place }])
    await consumer.close()
  })

  test('tells of what retention took before it was handled', async () => {
    const channel = kept('few')
    const first = keeping('c', { channel, from: 'earliest' })
    const { epoch } = await exchange.invokePublish(channel, 1)
    await upTo(first.consumer, 1)
    await first.consumer.close()
    for (const data of [2, 3, 4, 5, 6]) await exchange.invokePublish(channel, data)
    const second = keeping('c', { channel })
    const gap = once(second.consumer, 'gap')
    assert.deepEqual(await gap, { from: { epoch, offset: 1 }, to: { epoch, offset: 3 } })
    await upTo(second.consumer, 6)
    assert.deepEqual(
      second.seen.map(({ data }) => data),
      [4, 5, 6],
    )
    await second.consumer.close()
  })

  test('keeps up with many messages and leaves none out', async () => {
    const channel = kept()
    const { consumer, seen } = keeping('c', { channel, concurrency: 10 })
    const count = 2000
    for (let number = 1; number <= count; number++) {
      exchange.transmitPublish(channel, number)
      if (number % 500 === 0) await upTo(consumer, number)
    }
    assert.deepEqual(
      seen.map(({ data }) => data),
      Array.from({ length: count }, (_, index) => index + 1),
    )
    await consumer.close()
  })

  test('leaves the app’s own subscription alone', async () => {
    const channel = kept()
    const values = collected(exchange.subscribe(channel))
    const { consumer } = keeping('c', { channel })
    assert.deepEqual(exchange.isSubscribed(channel), true)
    await exchange.invokePublish(channel, 1)
    await upTo(consumer, 1)
    await consumer.close()
    await exchange.invokePublish(channel, 2)
    await values.count(2)
    const lone = kept()
    const other = keeping('c', { channel: lone })
    assert.equal(exchange.isSubscribed(lone, true), false)
    await other.consumer.close()
  })
})

test('consumers are closed with their server', async () => {
  const running = await startKept()
  const { exchange } = running.server
  const channel = kept()
  const consumer = exchange.consume('c', { channel }, async () => {})
  await exchange.invokePublish(channel, 1)
  await upTo(consumer, 1)
  const closing = running.stop()
  await consumer.close()
  await closing
  await eventually(() => running.server._native.stopped)
  await assert.rejects(exchange.history(channel), { name: 'StreamError', code: 'ERR_CLOSED' })
})

test('a position survives a restart where there is storage', async (context) => {
  const directory = temporaryDirectory(context)
  const streams = [{ match: 'durable/*', class: 'durable' }]
  const channel = 'durable/a'
  const seen = []
  const start = async () => {
    const running = await startKept({ streams, storage: { directory } })
    const { exchange } = running.server
    const options = { channel, from: 'earliest' }
    const consumer = exchange.consume('c', options, async ({ data }) => seen.push(data))
    return { running, exchange, consumer }
  }
  const first = await start()
  await first.exchange.invokePublish(channel, 'a')
  await upTo(first.consumer, 1)
  await first.consumer.close()
  await first.exchange.invokePublish(channel, 'b')
  await first.running.stop()
  const second = await start()
  await second.exchange.invokePublish(channel, 'c')
  await upTo(second.consumer, 3)
  assert.deepEqual(seen, ['a', 'b', 'c'])
  await second.running.stop()
})

test('closing a server waits for its handlers, and then another may use the storage', async (context) => {
  const storage = { directory: temporaryDirectory(context) }
  const streams = [{ match: 'durable/*', class: 'durable' }]
  const channel = 'durable/a'
  const first = await startKept({ streams, storage })
  const raw = await first.raw()
  await raw.subscribe(channel)
  const begun = []
  const options = { channel, from: 'earliest' }
  const consumer = first.server.exchange.consume('c', options, () => {
    return new Promise((resolve) => begun.push(resolve))
  })
  const place = await first.server.exchange.invokePublish(channel, 1)
  await eventually(() => begun.length === 1)
  const last = first.server.exchange.invokePublish(channel, 2)
  let closed = false
  const closing = first.close().then(() => (closed = true))
  assert.deepEqual(await last, { ...place, offset: 2 })
  assert.equal(closed, false)
  begun[0]()
  await closing
  assert.deepEqual(consumer.position, place)
  const second = await startKept({ streams, storage })
  assert.equal((await second.server.exchange.history(channel)).offset, 2)
  await second.stop()
  await first.stop()
})

test('a server closed with its sockets kept goes on storing', async (context) => {
  const storage = { directory: temporaryDirectory(context) }
  const streams = [{ match: 'durable/*', class: 'durable' }]
  const running = await startKept({ streams, storage })
  const raw = await running.raw()
  await running.close(true)
  const { data } = await raw.publish('durable/a', 1)
  assert.equal(data.offset, 1)
  raw.destroy()
  await running.stop()
})
