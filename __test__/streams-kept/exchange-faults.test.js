'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { once, record, eventually } = require('../support')
const { collect, settle } = require('../exchange/fake-port')
const { FakeStreams, createKept } = require('./fake-streams')

const CHANNEL = 'kept/news'

test('what comes before the answer to a subscription from a position on is left to the replay', async () => {
  const { exchange, broker, streams } = createKept()
  for (const data of ['a', 'b']) await exchange.invokePublish(CHANNEL, data)
  const channel = exchange.subscribe(CHANNEL, { since: { epoch: 'e1', offset: 1 } })
  const { values } = collect(channel)
  assert.equal(channel.state, channel.PENDING)
  assert.equal(exchange.isSubscribed(CHANNEL), false)
  broker._deliver(CHANNEL, 'b', { epoch: 'e1', offset: 2 })
  await once(channel, 'recover')
  await exchange.invokePublish(CHANNEL, 'c')
  await settle()
  assert.deepEqual(values, ['b', 'c'])
  assert.deepEqual(channel.position, { epoch: 'e1', offset: 3 })
  assert.equal(streams.asked('#subscribe').length, 1)
})

test('a subscription that the core refuses has failed', async () => {
  const { exchange, broker, port, streams } = createKept()
  streams.fail('#subscribe', 'ERR_BAD_POSITION')
  const channel = exchange.subscribe(CHANNEL, { since: { epoch: '!', offset: 1 } })
  const [failed, error] = [once(channel, 'subscribeFail'), once(broker, 'error')]
  assert.equal((await failed).error.code, 'ERR_BAD_POSITION')
  assert.equal((await error).error.code, 'ERR_BAD_POSITION')
  assert.equal(channel.state, channel.UNSUBSCRIBED)
  assert.equal(port.isSubscribed(CHANNEL), false)
})

test('unsubscribing before the answer leaves nothing behind', async () => {
  const { exchange, broker, port } = createKept()
  await exchange.invokePublish(CHANNEL, 'a')
  const since = { epoch: 'e1', offset: 0 }
  const channel = exchange.subscribe(CHANNEL, { since })
  const events = collect(channel.listener('recover'))
  const { values } = collect(channel)
  channel.unsubscribe()
  await settle()
  await settle()
  assert.deepEqual([values, events.values], [[], []])
  assert.equal(port.isSubscribed(CHANNEL), false)
  broker._replay(CHANNEL, 'late', { epoch: 'e1', offset: 1 })
})

test('a publish nobody waits for reports its failure', async () => {
  const { exchange, broker, streams } = createKept()
  const errors = record(broker, 'error')
  streams.fail('#publish', 'ERR_STREAM_FULL', 'ERR_STREAM_BUSY')
  await exchange.transmitPublish(CHANNEL, 'a')
  await exchange.transmitPublish(CHANNEL, 'b', { key: 'k' })
  await exchange.transmitPublish(CHANNEL, 1n)
  await errors.count(3)
  assert.deepEqual(
    errors.map(({ error }) => error.code || error.name),
    ['TypeError', 'ERR_STREAM_FULL', 'ERR_STREAM_BUSY'],
  )
})

test('a call that fails rejects', async () => {
  const { exchange, streams } = createKept()
  streams.fail('#publish', 'ERR_STREAM_FULL')
  await assert.rejects(exchange.invokePublish(CHANNEL, 'a'), {
    name: 'StreamError',
    code: 'ERR_STREAM_FULL',
  })
  await assert.rejects(exchange.invokePublish(CHANNEL, 1n), { name: 'TypeError' })
})

const BAD_OPTIONS = [
  [{ key: '' }, 'ERR_BAD_KEY'],
  [{ key: 'x'.repeat(257) }, 'ERR_BAD_KEY'],
  [{ key: 1 }, 'ERR_BAD_KEY'],
  [{ delay: NaN }, 'ERR_BAD_SCHEDULE'],
  [{ delay: '5' }, 'ERR_BAD_SCHEDULE'],
  [{ at: Infinity }, 'ERR_BAD_SCHEDULE'],
]

for (const [options, code] of BAD_OPTIONS) {
  test(`publishing with ${JSON.stringify(options).slice(0, 30)} is ${code}`, async () => {
    const { exchange, streams } = createKept()
    await assert.rejects(exchange.invokePublish(CHANNEL, 1, options), { code })
    assert.deepEqual(streams.requests, [])
  })
}

test('a replaced method of the broker knows no options, and sees everything else', async () => {
  for (const name of ['invokePublish', 'transmitPublish']) {
    const { exchange, broker, streams } = createKept()
    const calls = []
    const original = broker[name]
    broker[name] = function (...args) {
      calls.push(args)
      return original.apply(this, args)
    }
    await assert.rejects(exchange.invokePublish(CHANNEL, 1, { key: 'k' }), {
      code: 'ERR_BAD_REQUEST',
    })
    await exchange.invokePublish(CHANNEL, 1)
    assert.equal(calls[0][0], CHANNEL)
    await eventually(() => streams.asked('#publish').length === 1)
  }
})

test('without streams a position or an option is refused, and nothing else is different', async () => {
  const streams = new FakeStreams()
  streams.on = false
  streams.isKept = () => false
  streams.need = () => {
    throw Object.assign(new Error('off'), { code: 'ERR_NO_STREAMS' })
  }
  const { exchange, port } = createKept(streams)
  const refused = { code: 'ERR_NO_STREAMS' }
  assert.throws(() => exchange.subscribe(CHANNEL, { since: { epoch: 'e', offset: 1 } }), refused)
  assert.throws(() => exchange.consume('c', { channel: CHANNEL }, () => {}), refused)
  await assert.rejects(exchange.invokePublish(CHANNEL, 1, { delay: 1 }), refused)
  await assert.rejects(exchange.history(CHANNEL), refused)
  await assert.rejects(exchange.presence(CHANNEL), refused)
  assert.equal(await exchange.invokePublish(CHANNEL, 1, {}), undefined)
  assert.equal(exchange.subscribe(CHANNEL, {}).state, 'subscribed')
  assert.equal(port.published.length, 1)
  assert.deepEqual(streams.requests, [])
})
