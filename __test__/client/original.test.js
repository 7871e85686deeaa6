'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const original = require('socketcluster-client')
const stock = require('socketcluster-server')
const ours = require('../../client')
const { consume, eventually, once, startServer } = require('../support')

const EVENTS = [
  ...['connecting', 'connect', 'close', 'disconnect', 'error', 'kickOut', 'recover'],
  ...['subscribe', 'subscribeFail', 'subscribeRequest', 'subscribeStateChange', 'unsubscribe'],
]
const OPTIONS = { host: 'localhost:10', autoConnect: false }

/** What a client says on the wire and tells its app while it is put through everything. */
async function transcript(library) {
  const running = await startServer({ lib: stock, authKey: 'k'.repeat(32) })
  const said = []
  const told = []
  running.server.setMiddleware(running.server.MIDDLEWARE_INBOUND_RAW, async (stream) => {
    for await (const action of stream) {
      if (action.message !== '') said.push(action.message)
      action.allow()
    }
  })
  running.server.setMiddleware(running.server.MIDDLEWARE_INBOUND, async (stream) => {
    for await (const action of stream) {
      if (action.channel === 'p/secret') action.block(new Error('no'))
      else action.allow()
    }
  })
  const client = library.create({
    hostname: '127.0.0.1',
    port: running.port,
    authTokenName: 'original',
    channelPrefix: 'p/',
    autoReconnectOptions: { initialDelay: 1, randomness: 0 },
  })
  for (const name of EVENTS) {
    consume(client.listener(name), ({ id, error, ...data }) => {
      told.push([name, Boolean(id), error?.message, JSON.stringify(data)])
    })
  }
  try {
    await play(client, running)
  } finally {
    client.disconnect()
    await running.stop()
  }
  return { said, told }
}

async function play(client, { server }) {
  const received = []
  const news = client.subscribe('news', { data: { a: 1 } })
  consume(news, (data) => void received.push(data))
  await once(client, 'subscribe')
  client.subscribe('later', { waitForAuth: true, priority: 2 })
  const failed = once(client, 'subscribeFail')
  client.subscribe('secret')
  await failed
  assert.equal(await news.invokePublish({ n: 1 }), undefined)
  await client.transmitPublish('news', 2)
  await client.invokePublish('news')
  await eventually(() => received.length === 3, 'publications')
  assert.deepEqual(received, [{ n: 1 }, 2, undefined])
  const back = once(client, 'subscribe')
  server.clients[client.id].disconnect(4001)
  await back
  const kicked = once(client, 'kickOut')
  await server.clients[client.id].kickOut('p/news', 'out')
  await kicked
  client.unsubscribe('news')
  client.subscribe('other')
  client.unsubscribe('other')
  await client.invokePublish('other', 1)
}

test('on a server without streams the client does what the original does', async () => {
  const expected = await transcript(original)
  const actual = await transcript(ours)
  assert.ok(expected.said.length > 8)
  assert.deepEqual(actual.said, expected.said)
  assert.deepEqual(actual.told, expected.told)
})

test('there a position is reported as lost, and a key as without effect', async () => {
  const running = await startServer({ lib: stock })
  const client = ours.create({ hostname: '127.0.0.1', port: running.port, autoReconnect: false })
  try {
    const channel = client.subscribe('news', { since: { epoch: 'x', offset: 3 } })
    const recovery = await once(channel, 'recover')
    assert.deepEqual(recovery, { channel: 'news', recovered: false })
    assert.equal(channel.recovered, false)
    assert.equal(channel.position, undefined)
    await assert.rejects(channel.invokePublish(1, { key: 'k' }), { code: 'ERR_NOT_KEPT' })
    await assert.rejects(channel.invokePublish(1, { delay: 5 }), { code: 'ERR_NOT_KEPT' })
  } finally {
    client.disconnect()
    await running.stop()
  }
})

test('the exports are those of the original', () => {
  assert.deepEqual(Object.keys(ours).sort(), Object.keys(original).sort())
  assert.equal(ours.version, original.version)
  const client = ours.create(OPTIONS)
  assert.ok(client instanceof ours.AGClientSocket)
  assert.ok(client instanceof original.AGClientSocket)
  assert.ok(ours.factory.create(OPTIONS) instanceof ours.AGClientSocket)
  assert.equal(ours.AGClientSocket.OPEN, original.AGClientSocket.OPEN)
  assert.equal(client.version, original.version)
})

test('options become the same as with the original', () => {
  for (const options of [
    undefined,
    {},
    { hostname: 'a', port: 5, secure: true },
    { host: 'a:50', query: 'x=1&x=2', clientId: 'me' },
    { hostname: undefined, autoReconnectOptions: { initialDelay: 3 } },
  ]) {
    const read = (library) => {
      const client = library.create({ ...options, autoConnect: false })
      const { callIdGenerator, clientId, ...rest } = client.options
      assert.equal(callIdGenerator(), 1)
      return { ...rest, clientId: options?.clientId && clientId, uri: client.uri() }
    }
    assert.deepEqual(read(ours), read(original))
  }
  for (const options of [
    { host: 'a' },
    { host: 'a:50', port: 1 },
    { host: 'a:50', hostname: 'a' },
  ]) {
    assert.throws(() => ours.create({ ...OPTIONS, ...options }), { name: 'InvalidArgumentsError' })
  }
})
