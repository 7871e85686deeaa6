'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const AGChannel = require('ag-channel')
const AGSimpleBroker = require('ag-simple-broker')
const { HOSTILE_NAMES } = require('../streams/hostile-names')
const { createBroker, collect, settle } = require('./fake-port')

test('a channel handle receives what is published while it is subscribed', async () => {
  const { exchange } = createBroker()
  const channel = exchange.subscribe('news')
  const { values } = collect(channel)
  await exchange.transmitPublish('news', 1)
  await exchange.invokePublish('other', 2)
  await channel.invokePublish(3)
  await exchange.unsubscribe('news')
  await exchange.transmitPublish('news', 4)
  await settle()
  assert.ok(channel instanceof AGChannel)
  assert.deepEqual(values, [1, 3])
})

test('it names the same members as the exchange of ag-simple-broker', () => {
  const { exchange } = createBroker()
  const reference = new AGSimpleBroker().exchange()
  for (const name in reference) {
    if (typeof reference[name] !== 'function' || name.startsWith('_')) continue
    assert.equal(typeof exchange[name], 'function', name)
  }
  assert.equal(exchange.id, reference.id)
})

test('subscribing and unsubscribing change state, lists and events', async () => {
  const { exchange, port } = createBroker()
  const subscribed = collect(exchange.listener('subscribe'))
  const unsubscribed = collect(exchange.listener('unsubscribe'))
  const channel = exchange.channel('news')
  const events = ['subscribe', 'unsubscribe'].map((name) => collect(channel.listener(name)))
  assert.equal(channel.state, channel.UNSUBSCRIBED)
  exchange.subscribe('news')
  exchange.subscribe('news')
  assert.equal(channel.state, channel.SUBSCRIBED)
  assert.equal(exchange.isSubscribed('news'), true)
  assert.deepEqual(exchange.subscriptions(), ['news'])
  assert.deepEqual(channel.options, {})
  channel.unsubscribe()
  await exchange.unsubscribe('news')
  assert.equal(exchange.isSubscribed('news', true), false)
  await settle()
  assert.deepEqual(subscribed.values, [{ channel: 'news' }])
  assert.deepEqual(unsubscribed.values, [{ channel: 'news' }])
  assert.deepEqual(
    events.map(({ values }) => values.length),
    [1, 1],
  )
  assert.equal(port.channels.size, 0)
})

test('it subscribes through replaced methods of the broker', () => {
  const { broker, exchange } = createBroker()
  const calls = []
  broker.subscribeClient = async (client, channel) => calls.push([client, channel])
  exchange.subscribe('news')
  assert.deepEqual(calls, [[exchange, 'news']])
})

test('replacing its publish methods is told to the port', () => {
  const { exchange, broker, port } = createBroker()
  exchange.invokePublish = async () => {}
  assert.deepEqual(port.patched, ['exchange.invokePublish'])
  assert.equal(broker._isPatched('exchange.invokePublish'), true)
  assert.equal(broker._isPatched('exchange.transmitPublish'), false)
})

test('closing and killing a channel end its loops and those over its events', async () => {
  for (const method of ['closeChannel', 'killChannel']) {
    const { exchange } = createBroker()
    const channel = exchange.subscribe('news')
    const loops = [channel, channel.listener('subscribe'), channel.listener('own')].map(collect)
    exchange[method]('news')
    await Promise.all(loops.map(({ loop }) => loop))
    assert.equal(channel.getAllListenersBackpressure(), 0)
  }
})

test('closing a channel leaves channels below its name alone', async () => {
  const { exchange } = createBroker()
  const below = exchange.subscribe('news/local').listener('unsubscribe')
  const { values } = collect(below)
  exchange.killChannel('news')
  exchange.channelCloseAllListeners('news')
  await exchange.unsubscribe('news/local')
  await settle()
  assert.equal(values.length, 1)
})

test('consumers of channels are measured per stream', () => {
  const { exchange } = createBroker()
  const channel = exchange.subscribe('news')
  const output = channel.createConsumer()
  const listener = channel.listener('unsubscribe').createConsumer()
  exchange.transmit('#publish', { channel: 'news', data: 1 })
  exchange.transmit('other', { channel: 'news', data: 1 })
  assert.equal(channel.getBackpressure(), 1)
  assert.equal(exchange.getBackpressure(), 1)
  assert.equal(channel.hasOutputConsumer(output.id), true)
  assert.equal(channel.hasAnyListenerConsumer(listener.id), true)
  assert.deepEqual(channel.getOutputConsumerStatsList(), [
    { id: output.id, backpressure: 1, stream: 'news' },
  ])
  assert.deepEqual(channel.getAllListenersConsumerStatsList(), [
    { id: listener.id, backpressure: 0, stream: 'news/unsubscribe' },
  ])
  channel.killOutputConsumer(output.id)
  channel.killListenerConsumer(listener.id)
  assert.deepEqual(exchange.getAllChannelOutputsConsumerStatsList(), [])
  assert.deepEqual(exchange.getAllChannelListenersConsumerStatsList(), [])
})

for (const name of HOSTILE_NAMES) {
  test(`the exchange may subscribe to ${JSON.stringify(name)}`, async () => {
    const { exchange } = createBroker()
    assert.equal(exchange.isSubscribed(name, true), false)
    assert.equal(exchange.getChannelState(name), AGChannel.UNSUBSCRIBED)
    await exchange.unsubscribe(name)
    const channel = exchange.subscribe(name)
    const { values } = collect(channel)
    const gone = collect(channel.listener('unsubscribe'))
    await channel.transmitPublish({ [name]: 1 })
    await settle()
    assert.equal(values.length, 1)
    assert.deepEqual(exchange.subscriptions(), [name])
    await exchange.unsubscribe(name)
    exchange.killChannel(name)
    await gone.loop
    assert.equal(gone.values.length <= 1, true)
    assert.deepEqual(exchange.subscriptions(true), [])
  })
}
