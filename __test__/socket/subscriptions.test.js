'use strict'

const assert = require('node:assert/strict')
const { behaviour, once, record } = require('../support')

behaviour('a subscription is seen on socket and server', async (running) => {
  const { client, socket } = await running.rawPair()
  const own = once(socket, 'subscribe')
  const servers = once(running.server, 'subscription')
  const options = { channel: 'a', waitForAuth: true, data: { x: 1 }, priority: 2 }
  assert.deepEqual(await client.invoke('#subscribe', options), { rid: 2 })
  delete options.channel
  assert.deepEqual(await own, { channel: 'a', subscriptionOptions: options })
  assert.deepEqual(await servers, { socket, channel: 'a', subscriptionOptions: options })
  assert.deepEqual({ ...socket.channelSubscriptions }, { a: true })
  assert.equal(socket.channelSubscriptionsCount, 1)
  assert.equal(socket.isSubscribed('a'), true)
  assert.equal(socket.isSubscribed('b'), false)
  assert.deepEqual(socket.subscriptions(), ['a'])
})

behaviour('a repeated subscription is confirmed and counts once', async (running) => {
  const { client, socket } = await running.rawPair()
  const subscribes = record(socket, 'subscribe')
  await client.subscribe('a')
  assert.equal((await client.subscribe('a')).error, undefined)
  await client.publish('a', 'once')
  await client.subscribe('barrier')
  assert.deepEqual(client.published('a'), ['once'])
  assert.equal(socket.channelSubscriptionsCount, 2)
  await subscribes.count(3)
  assert.deepEqual(
    subscribes.map(({ channel }) => channel),
    ['a', 'a', 'barrier'],
  )
})

behaviour('the empty string is a channel', async (running) => {
  const client = await running.raw()
  assert.equal((await client.subscribe('')).error, undefined)
  await client.publish('', 'empty')
  await client.until(() => client.published('').length === 1)
})

behaviour('after #unsubscribe nothing of the channel arrives', async (running) => {
  const { client, socket } = await running.rawPair()
  await client.subscribe('a')
  const unsubscribe = once(socket, 'unsubscribe')
  const servers = once(running.server, 'unsubscription')
  assert.deepEqual(await client.invoke('#unsubscribe', 'a'), { rid: 3 })
  assert.deepEqual(await unsubscribe, { channel: 'a' })
  assert.deepEqual(await servers, { socket, channel: 'a' })
  await client.publish('a', 1)
  assert.deepEqual(client.published('a'), [])
  assert.equal(socket.channelSubscriptionsCount, 0)
})

behaviour('an unknown channel cannot be unsubscribed', async (running) => {
  const { client, socket } = await running.rawPair()
  const errors = record(socket, 'error')
  const { error } = await client.invoke('#unsubscribe', 'never')
  const reason = 'tried to unsubscribe from a channel which it is not subscribed to'
  const cause = `InvalidActionError: Socket ${socket.id} ${reason}`
  assert.deepEqual(error, {
    name: 'BrokerError',
    message: `Failed to unsubscribe socket from the never channel - ${cause}`,
  })
  await errors.count(1)
  assert.equal(errors.length, 1)
})

behaviour('a channel name of a wrong type is refused', async (running) => {
  const client = await running.raw()
  const malformed = async (event, data) => (await client.invoke(event, data)).error
  for (const channel of [null, 1, true, {}, ['a']]) {
    assert.deepEqual(await malformed('#subscribe', { channel }), {
      name: 'InvalidActionError',
      message: 'Subscribe channel name was malformatted',
    })
    assert.deepEqual(await malformed('#publish', { channel, data: 1 }), {
      name: 'InvalidActionError',
      message: 'Publish channel name was malformatted',
    })
    assert.deepEqual(await malformed('#unsubscribe', channel), {
      name: 'InvalidActionError',
      message: 'Unsubscribe channel name was malformatted',
    })
  }
})

behaviour('a #subscribe without cid does not subscribe', async (running) => {
  const { client, socket } = await running.rawPair()
  client.transmit('#subscribe', { channel: 'a' })
  await client.subscribe('barrier')
  assert.deepEqual(socket.subscriptions(), ['barrier'])
})

behaviour('a publisher gets its own publication before the answer', async (running) => {
  const client = await running.raw()
  await client.subscribe('a')
  const before = client.packets.length
  await client.publish('a', 1)
  const [publication, answer] = client.packets.slice(before)
  assert.deepEqual(publication, { event: '#publish', data: { channel: 'a', data: 1 } })
  assert.deepEqual(answer, { rid: 3 })
})

behaviour(
  'two subscribers see the publications of two publishers in one order',
  async (running) => {
    const [one, two, ann, bob] = await Promise.all([1, 2, 3, 4].map(() => running.raw()))
    await one.subscribe('order')
    await two.subscribe('order')
    for (let n = 0; n < 300; n++) {
      ann.transmit('#publish', { channel: 'order', data: `ann ${n}` })
      bob.transmit('#publish', { channel: 'order', data: `bob ${n}` })
    }
    for (const each of [one, two]) await each.until(() => each.published('order').length === 600)
    assert.deepEqual(two.published('order'), one.published('order'))
    const ofAnn = one.published('order').filter((text) => text.startsWith('ann'))
    assert.deepEqual(
      ofAnn,
      Array.from({ length: 300 }, (_, n) => `ann ${n}`),
    )
  },
)

behaviour('publications keep whatever JSON they hold', async (running) => {
  const publisher = await running.raw()
  const client = await running.raw()
  await client.subscribe('values')
  const values = [null, true, 0, -1.5, '', 'é\u2028🎉', [], {}, [[null, { a: 'b' }]], '\ud800']
  for (const value of values) await publisher.publish('values', value)
  await client.until(() => client.published('values').length === values.length)
  assert.deepEqual(client.published('values'), values)
})

behaviour('a publication without data has none', async (running) => {
  const client = await running.raw()
  await client.subscribe('a')
  await client.invoke('#publish', { channel: 'a' })
  await client.until(() => client.events('#publish').length === 1)
  assert.deepEqual(client.events('#publish')[0].data, { channel: 'a' })
})

behaviour('numbers of a publication are printed as JavaScript prints them', async (running) => {
  const client = await running.raw()
  await client.subscribe('a')
  const tokens = '[1e400,-0,9007199254740993,1e21,1.50,5e-324,1E3]'
  client.send(`{"event":"#publish","data":{"channel":"a","data":${tokens}},"cid":50}`)
  await client.response(50)
  const text = client.texts.find((each) => each.includes('#publish'))
  assert.equal(
    text,
    '{"event":"#publish","data":{"channel":"a","data":[null,0,9007199254740992,1e+21,1.5,5e-324,1000]}}',
  )
})

behaviour('lone surrogates make different channels', async (running) => {
  const client = await running.raw()
  client.send('{"event":"#subscribe","data":{"channel":"\\ud800"},"cid":60}')
  await client.response(60)
  client.send('{"event":"#publish","data":{"channel":"\\ud801","data":1},"cid":61}')
  client.send('{"event":"#publish","data":{"channel":"\\ufffd","data":2},"cid":62}')
  client.send('{"event":"#publish","data":{"channel":"\\ud800","data":3},"cid":63}')
  await client.response(63)
  assert.deepEqual(
    client.events('#publish').map(({ data }) => data.data),
    [3],
  )
  const text = client.texts.find((each) => each.includes('#publish'))
  assert.equal(text, '{"event":"#publish","data":{"channel":"\\ud800","data":3}}')
})

behaviour('a client which left gets unsubscribed after its disconnect', async (running) => {
  const { client, socket } = await running.rawPair()
  await client.subscribe('a')
  await client.subscribe('b')
  const order = []
  for (const name of ['disconnect', 'close', 'unsubscribe', 'end']) {
    ;(async () => {
      for await (const event of socket.listener(name)) order.push([name, event && event.channel])
    })()
  }
  const end = once(socket, 'end')
  client.sendClose(1000)
  await end
  assert.deepEqual(order.slice(0, 4), [
    ['disconnect', undefined],
    ['close', undefined],
    ['unsubscribe', 'a'],
    ['unsubscribe', 'b'],
  ])
  assert.deepEqual(socket.subscriptions(), [])
  assert.deepEqual(running.server.brokerEngine.subscriptions(), [])
})
