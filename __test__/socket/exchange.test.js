'use strict'

const assert = require('node:assert/strict')
const { behaviour, eventually, once, record } = require('../support')

behaviour('the exchange publishes to sockets', async (running) => {
  const client = await running.raw()
  await client.subscribe('a')
  running.server.exchange.transmitPublish('a', 1)
  await running.server.exchange.invokePublish('a', { b: 2 })
  await client.until(() => client.published('a').length === 2)
  assert.deepEqual(client.published('a'), [1, { b: 2 }])
})

behaviour('a channel of the exchange hears sockets and the exchange itself', async (running) => {
  const { exchange } = running.server
  const channel = exchange.subscribe('a')
  assert.equal(channel.state, 'subscribed')
  const got = []
  const loop = (async () => {
    for await (const data of channel) if (got.push(data) === 3) return
  })()
  const client = await running.raw()
  await client.publish('a', { from: 'socket' })
  exchange.transmitPublish('a', 'exchange')
  await channel.invokePublish('channel')
  await loop
  assert.deepEqual(got, [{ from: 'socket' }, 'exchange', 'channel'])
})

behaviour('exchange.subscriptions names its own channels', async (running) => {
  const { exchange } = running.server
  const client = await running.raw()
  await client.subscribe('of-a-socket')
  const subscribes = record(exchange, 'subscribe')
  const unsubscribes = record(exchange, 'unsubscribe')
  exchange.subscribe('a')
  exchange.subscribe('b')
  assert.equal(exchange.subscriptions().join(), 'a,b')
  assert.equal(exchange.isSubscribed('a'), true)
  assert.equal(exchange.isSubscribed('of-a-socket'), false)
  await exchange.unsubscribe('a')
  assert.equal(exchange.subscriptions().join(), 'b')
  await subscribes.count(2)
  await unsubscribes.count(1)
  assert.deepEqual(unsubscribes[0], { channel: 'a' })
})

behaviour('after unsubscribe the exchange hears nothing', async (running) => {
  const { exchange } = running.server
  const channel = exchange.subscribe('a')
  const got = []
  ;(async () => {
    for await (const data of channel) got.push(data)
  })()
  await exchange.invokePublish('a', 1)
  await eventually(() => got.length === 1, 'first publication')
  await channel.unsubscribe()
  assert.equal(channel.state, 'unsubscribed')
  await exchange.invokePublish('a', 2)
  const client = await running.raw()
  await client.publish('a', 3)
  assert.deepEqual(got, [1])
})

behaviour('closing a channel ends its loops', async (running) => {
  const channel = running.server.exchange.subscribe('a')
  const loop = (async () => {
    const got = []
    for await (const data of channel) got.push(data)
    return got
  })()
  await channel.invokePublish(1)
  await channel.invokePublish(2)
  channel.close()
  assert.deepEqual(await loop, [1, 2])
})

behaviour('the broker tells of first and last subscribers', async (running) => {
  const { brokerEngine } = running.server
  const subscribes = record(brokerEngine, 'subscribe')
  const unsubscribes = record(brokerEngine, 'unsubscribe')
  const one = await running.raw()
  const two = await running.raw()
  await one.subscribe('a')
  await two.subscribe('a')
  assert.deepEqual(brokerEngine.subscriptions(), ['a'])
  assert.equal(brokerEngine.isSubscribed('a'), true)
  await one.invoke('#unsubscribe', 'a')
  assert.equal(brokerEngine.isSubscribed('a'), true)
  two.destroy()
  await unsubscribes.count(1)
  assert.deepEqual([...subscribes], [{ channel: 'a' }])
  assert.deepEqual([...unsubscribes], [{ channel: 'a' }])
  assert.equal(brokerEngine.isSubscribed('a'), false)
})

behaviour('the broker tells of publications unless they are suppressed', async (running) => {
  const { brokerEngine, exchange } = running.server
  const publications = record(brokerEngine, 'publish')
  const client = await running.raw()
  await client.subscribe('a')
  await client.publish('a', 1)
  await exchange.invokePublish('a', { two: 2 })
  await brokerEngine.invokePublish('a', 3, true)
  await brokerEngine.invokePublish('a', 4)
  await publications.count(3)
  assert.deepEqual(
    [...publications],
    [
      { channel: 'a', data: 1 },
      { channel: 'a', data: { two: 2 } },
      { channel: 'a', data: 4 },
    ],
  )
  await client.until(() => client.published('a').length === 4)
  assert.deepEqual(client.published('a'), [1, { two: 2 }, 3, 4])
})

behaviour('a channel knows its name, options and events', async (running) => {
  const { exchange } = running.server
  const channel = exchange.channel('a')
  assert.equal(channel.name, 'a')
  assert.equal(channel.state, 'unsubscribed')
  const subscribed = once(channel, 'subscribe')
  exchange.subscribe('a')
  assert.deepEqual(await subscribed, {})
  assert.equal(channel.isSubscribed(), true)
  const unsubscribed = once(channel, 'unsubscribe')
  channel.unsubscribe()
  await unsubscribed
})

behaviour(
  'the backpressure of a channel is what its slowest loop has not read',
  async (running) => {
    const { exchange } = running.server
    const channel = exchange.subscribe('a')
    const consumer = channel.createConsumer()
    for (let n = 0; n < 10; n++) await channel.invokePublish(n)
    await eventually(() => exchange.getBackpressure() === 10, 'backpressure 10')
    assert.equal(channel.getOutputBackpressure(), 10)
    assert.equal(consumer.getBackpressure(), 10)
    assert.deepEqual(await consumer.next(), { value: 0, done: false })
    consumer.return()
  },
)
