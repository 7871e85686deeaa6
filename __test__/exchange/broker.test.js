'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const formatter = require('sc-formatter')
const AsyncStreamEmitter = require('async-stream-emitter')
const Broker = require('../../lib/exchange/broker')
const { HOSTILE_NAMES } = require('../streams/hostile-names')
const { createBroker, collect, settle } = require('./fake-port')

function client(id) {
  const received = []
  return { id, received, transmit: (...args) => received.push(args) }
}

test('it is ready after the current turn', async () => {
  const { broker } = createBroker()
  assert.ok(broker instanceof AsyncStreamEmitter)
  assert.equal(broker.isReady, false)
  await broker.listener('ready').once()
  assert.equal(broker.isReady, true)
})

test('a channel is subscribed natively while it has a JavaScript subscriber', async () => {
  const { broker, port } = createBroker()
  const [first, second] = [client('1'), client('2')]
  await broker.subscribeClient(first, 'news')
  await broker.subscribeClient(first, 'news')
  await broker.subscribeClient(second, 'news')
  assert.deepEqual(broker.subscriptions(), ['news'])
  await broker.unsubscribeClient(first, 'news')
  await broker.unsubscribeClient(first, 'news')
  assert.equal(broker.isSubscribed('news'), true)
  await broker.unsubscribeClient(second, 'news')
  assert.equal(broker.isSubscribed('news'), false)
  assert.equal(port.channels.size, 0)
})

test('clients receive the packet with the frame encoded once', async () => {
  const { broker } = createBroker()
  broker.setCodecEngine(formatter)
  const [first, second] = [client('1'), client('2')]
  await broker.subscribeClient(first, 'news')
  await broker.subscribeSocket(second, 'news')
  await broker.invokePublish('news', { a: 1 })
  const packet = { channel: 'news', data: { a: 1 } }
  const stringifiedData = formatter.encode({ event: '#publish', data: packet })
  for (const { received } of [first, second]) {
    assert.deepEqual(received, [['#publish', packet, { stringifiedData }]])
  }
})

test('a client subscribing again under its id takes its place', async () => {
  const { broker } = createBroker()
  const [old, current] = [client('1'), client('1')]
  await broker.subscribeClient(old, 'news')
  await broker.subscribeClient(current, 'news')
  await broker.transmitPublish('news', 1)
  assert.equal(old.received.length, 0)
  assert.equal(current.received.length, 1)
})

test('a client may unsubscribe another while it is served', async () => {
  const { broker } = createBroker()
  const second = client('2')
  await broker.subscribeClient(
    { id: '1', transmit: () => broker.unsubscribeClient(second, 'news') },
    'news',
  )
  await broker.subscribeClient(second, 'news')
  await broker.transmitPublish('news', 1)
  await broker.transmitPublish('news', 2)
  assert.equal(second.received.length, 1)
})

test('server sockets go to the port, even when their native half is gone', async () => {
  const { broker, port } = createBroker()
  const socket = { id: 's', _native: {}, transmit: assert.fail }
  await broker.subscribeSocket(socket, 'news')
  assert.ok(port.channels.get('news').has(socket))
  socket._native = undefined
  await broker.unsubscribeSocket(socket, 'news')
  assert.equal(port.isSubscribed('news'), false)
})

test('each event happens once, and none without interest', async () => {
  const { broker, port } = createBroker()
  const kinds = ['subscribe', 'unsubscribe', 'publish']
  const seen = kinds.map((kind) => collect(broker.listener(kind)))
  await broker.subscribeClient(client('1'), 'news')
  await broker.subscribeClient(client('2'), 'news')
  await broker.transmitPublish('news', 1)
  await broker.transmitPublish('news', 2, true)
  await broker.unsubscribeClient(client('1'), 'news')
  await broker.unsubscribeClient(client('2'), 'news')
  await settle()
  assert.deepEqual(seen[0].values, [{ channel: 'news' }])
  assert.deepEqual(seen[1].values, [{ channel: 'news' }])
  assert.deepEqual(seen[2].values, [{ channel: 'news', data: 1 }])
  broker.killAllListeners()
  assert.equal(port.interest, 0)
})

test('interest follows the listeners of the four native events', () => {
  const { broker, port } = createBroker()
  const names = ['subscribe', 'unsubscribe', 'publish', 'error', 'ready', 'other']
  const consumers = names.map((name) => broker.listener(name).createConsumer())
  for (const consumer of consumers) consumer.return()
  const bits = [1, 2, 4, 8]
  assert.deepEqual(port.interestCalls, [
    ...bits.map((bit) => [bit, true]),
    ...bits.map((bit) => [bit, false]),
  ])
})

test('errors reported by the core are error events', async () => {
  const { broker } = createBroker()
  const next = broker.listener('error').once()
  const error = new Error('native')
  broker._onNative(Broker.INTEREST_ERROR, 'news', error)
  assert.deepEqual(await next, { error })
})

const toJSON = (key) => `key is ${key}`
const ENCODINGS = [
  ['a number', 1],
  ['null', null],
  ['a string', '"quoted" \u2028 \ud800'],
  ['an empty object', {}],
  ['undefined', undefined],
  ['a function', () => {}],
  ['a symbol', Symbol('s')],
  ['NaN', NaN],
  ['an array with holes', [undefined, () => {}, 1]],
  ['an object with undefined members', { a: undefined, b: 1 }],
  ['a Buffer', Buffer.from('bytes')],
  ['an ArrayBuffer', new Uint8Array([1, 2, 3]).buffer],
  ['a nested Buffer', { deep: [Buffer.from('b')] }],
  ['a Date', new Date(0)],
  ['an object with toJSON', { toJSON }],
  ['an object whose toJSON gives nothing', { toJSON() {} }],
]

for (const [what, data] of ENCODINGS) {
  test(`${what} is encoded as it is within the whole packet`, async () => {
    const { broker, port } = createBroker()
    broker.setCodecEngine(formatter)
    await broker.transmitPublish('c', data)
    const [{ json }] = port.published
    const whole = formatter.encode({ event: '#publish', data: { channel: 'c', data } })
    const member = json === undefined ? '' : `,"data":${json}`
    assert.equal(`{"event":"#publish","data":{"channel":"c"${member}}}`, whole)
  })
}

test('data which cannot be encoded is an error event and is not published', async () => {
  const { broker, port } = createBroker()
  const { values } = collect(broker.listener('error'))
  const circular = {}
  circular.self = circular
  await broker.transmitPublish('news', circular)
  await broker.invokePublish('news', 1n)
  await settle()
  assert.deepEqual(
    values.map(({ error }) => error.name),
    ['TypeError', 'TypeError'],
  )
  assert.deepEqual(port.published, [])
})

test('a codec of the application gets the value', async () => {
  const { broker, port } = createBroker()
  const codec = {
    encode(packet) {
      if (packet.data.data === 'bad') throw new Error('cannot encode')
      return ['encoded', packet]
    },
    decode: (message) => message,
  }
  broker.setCodecEngine(codec)
  const { values } = collect(broker.listener('error'))
  await broker.transmitPublish('news', 'good', true)
  await broker.transmitPublish('news', 'bad')
  await settle()
  const packet = { event: '#publish', data: { channel: 'news', data: 'good' } }
  assert.deepEqual(port.published, [
    { channel: 'news', encoded: ['encoded', packet], suppressEvent: true },
  ])
  assert.deepEqual(
    values.map(({ error }) => error.message),
    ['cannot encode'],
  )
})

test('a replaced method is told to the port, called as a method, and can call the original', async () => {
  const { broker, port } = createBroker()
  const original = broker.unsubscribeSocket
  const calls = []
  broker.unsubscribeSocket = async function (socket, channel) {
    calls.push([this, socket.id, channel])
    return original.call(this, socket, channel)
  }
  assert.deepEqual(port.patched, ['unsubscribeSocket'])
  assert.notEqual(broker.unsubscribeSocket, original)
  assert.equal(broker._isPatched('unsubscribeSocket'), true)
  const socket = { id: 's', _native: {} }
  await broker.subscribeSocket(socket, 'news')
  await broker.unsubscribeSocket(socket, 'news')
  assert.deepEqual(calls, [[broker, 's', 'news']])
  assert.equal(port.isSubscribed('news'), false)

  broker.unsubscribeSocket = original
  assert.equal(broker._isPatched('unsubscribeSocket'), false)
  assert.equal(port.patched.length, 2)
})

test('replacing a method leaves other brokers alone', () => {
  const { broker } = createBroker()
  const other = createBroker()
  broker.subscribeSocket = async () => {}
  assert.equal(other.broker.subscribeSocket, Broker.prototype.subscribeSocket)
  assert.deepEqual(other.port.patched, [])
})

test('invokePublish goes through a replaced transmitPublish', async () => {
  const { broker, port } = createBroker()
  const calls = []
  broker.transmitPublish = async (...args) => calls.push(args)
  await broker.invokePublish('news', 1, true)
  assert.deepEqual(calls, [['news', 1, true]])
  assert.deepEqual(port.published, [])
})

test('methods overridden by a subclass are told to the port at once', () => {
  class Own extends Broker {
    async subscribeSocket() {}
  }
  function Legacy() {}
  Legacy.prototype = Object.create(Broker.prototype)
  Legacy.prototype.subscribeSocket = 'shadowed'
  assert.deepEqual(createBroker(Own).port.patched, ['subscribeSocket'])
  assert.equal(Legacy.prototype.subscribeSocket, 'shadowed')
  assert.equal(typeof Broker.prototype.subscribeSocket, 'function')
})

for (const name of HOSTILE_NAMES) {
  test(`a channel and a client may be called ${JSON.stringify(name)}`, async () => {
    const { broker } = createBroker()
    const events = collect(broker.listener('subscribe'))
    const subscriber = client(name)
    await broker.transmitPublish(name, 'nobody listens')
    broker._deliver(name, 'nobody listens')
    assert.equal(broker.isSubscribed(name), false)
    await broker.unsubscribeClient(subscriber, name)
    await broker.subscribeClient(subscriber, name)
    await broker.transmitPublish(name, 1)
    await settle()
    assert.deepEqual(
      subscriber.received.map(([, packet]) => packet),
      [{ channel: name, data: 1 }],
    )
    assert.deepEqual(events.values, [{ channel: name }])
    await broker.unsubscribeClient(subscriber, name)
    assert.deepEqual(broker.subscriptions(), [])
  })
}
