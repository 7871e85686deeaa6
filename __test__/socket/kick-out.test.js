'use strict'

const assert = require('node:assert/strict')
const { behaviour, once } = require('../support')

behaviour('kickOut tells the client and ends the subscription', async (running) => {
  const { client, socket } = await running.rawPair()
  await client.subscribe('a')
  await client.subscribe('b')
  const unsubscribed = once(socket, 'unsubscribe')
  await socket.kickOut('a', 'be nice')
  assert.deepEqual(await unsubscribed, { channel: 'a' })
  assert.deepEqual(socket.subscriptions(), ['b'])
  assert.equal(socket.channelSubscriptionsCount, 1)
  await client.publish('a', 1)
  await client.until(() => client.events('#kickOut').length === 1)
  assert.deepEqual(client.events('#kickOut')[0].data, { channel: 'a', message: 'be nice' })
  assert.deepEqual(client.published('a'), [])
})

behaviour('kickOut without a channel empties all', async (running) => {
  const { client, socket } = await running.rawPair()
  for (const name of ['a', 'b', 'c']) await client.subscribe(name)
  await socket.kickOut()
  await client.until(() => client.events('#kickOut').length === 3)
  const channels = client.events('#kickOut').map(({ data }) => data.channel)
  assert.deepEqual(channels.sort(), ['a', 'b', 'c'])
  assert.deepEqual(Object.keys(socket.channelSubscriptions), [])
})

behaviour('kickOut takes a list of channels', async (running) => {
  const { client, socket } = await running.rawPair()
  for (const name of ['a', 'b', 'c']) await client.subscribe(name)
  await socket.kickOut(['a', 'c'])
  assert.deepEqual(socket.subscriptions(), ['b'])
})

behaviour('kickOut of a channel without subscription rejects', async (running) => {
  const { socket } = await running.rawPair()
  await assert.rejects(socket.kickOut('never'), { name: 'InvalidActionError' })
})

behaviour('the client library hears of its kick', async (running) => {
  const { client, socket } = await running.pair()
  const channel = client.subscribe('a')
  await once(channel, 'subscribe')
  const kicked = once(channel, 'kickOut')
  socket.kickOut('a', 'out')
  assert.equal((await kicked).message, 'out')
  assert.equal(channel.state, 'unsubscribed')
})
