'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const ws = require('ws')
const { behaviour, subject } = require('../support')

const make = (options) => new subject.AGServer(options)
const named = (name) => (error) => error.name === name

const DEFAULTS = {
  wsEngine: 'ws',
  maxPayload: null,
  allowClientPublish: true,
  ackTimeout: 10000,
  handshakeTimeout: 10000,
  strictHandshake: true,
  pingTimeout: 30000,
  pingTimeoutDisabled: false,
  pingInterval: 8000,
  origins: '*:*',
  path: '/socketcluster/',
  protocolVersion: 2,
  authDefaultExpiry: 86400,
  batchOnHandshake: false,
  batchOnHandshakeDuration: 400,
  batchInterval: 50,
  middlewareEmitFailures: true,
  socketStreamCleanupMode: 'kill',
  cloneData: false,
}

behaviour('every option has its default in server.options', async ({ server }) => {
  for (const [name, value] of Object.entries(DEFAULTS)) {
    assert.deepEqual(server.options[name], value, name)
  }
  assert.equal(typeof server.options.brokerEngine.exchange, 'function')
})

behaviour(
  'options become properties of the server',
  { ackTimeout: 7, handshakeTimeout: 8000, pingInterval: 900, pingTimeout: 10000, path: '/x/' },
  async ({ server }) => {
    assert.equal(server.ackTimeout, 7)
    assert.equal(server.handshakeTimeout, 8000)
    assert.equal(server.pingInterval, 900)
    assert.equal(server.pingTimeout, 10000)
    assert.equal(server.getPath(), '/x/')
    assert.equal(server.options.path, '/x/')
  },
)

behaviour(
  'unknown options are kept and change nothing',
  { authSignAsync: true, connectTimeout: 1, somethingElse: { a: 1 } },
  async (running) => {
    assert.deepEqual(running.server.options.somethingElse, { a: 1 })
    await running.assertServes()
  },
)

behaviour(
  'a missing authKey becomes 32 random bytes in hex',
  { authKey: null },
  async (running) => {
    assert.match(running.server.options.authKey, /^[0-9a-f]{64}$/)
    assert.equal(running.server.signatureKey, running.server.options.authKey)
    assert.equal(running.server.verificationKey, running.server.options.authKey)
  },
)

test('one key of a pair without the other is an InvalidOptionsError', () => {
  assert.throws(() => make({ authPrivateKey: 'x' }), named('InvalidOptionsError'))
  assert.throws(() => make({ authPublicKey: 'x' }), named('InvalidOptionsError'))
})

test('a wsEngine without a Server is an InvalidOptionsError', () => {
  assert.throws(() => make({ wsEngine: {} }), named('InvalidOptionsError'))
  assert.throws(() => make({ wsEngine: null }), named('InvalidOptionsError'))
})

test('a wsEngine which cannot be found throws', () => {
  assert.throws(() => make({ wsEngine: 'no-such-engine' }), { code: 'MODULE_NOT_FOUND' })
})

behaviour('the name of a wsEngine is accepted', { wsEngine: 'ws' }, (running) =>
  running.assertServes(),
)

behaviour('a wsEngine module is accepted', { wsEngine: ws }, (running) => running.assertServes())

behaviour(
  'wsEngineServerOptions go to the engine, before the options of the same name',
  { maxPayload: 100000, wsEngineServerOptions: { maxPayload: 500 } },
  async (running) => {
    const client = await running.raw()
    client.send({ event: 'x', data: 'a'.repeat(600) })
    assert.equal((await client.untilClosed()).code, 1009)
  },
)

behaviour(
  'the path of wsEngineServerOptions is the path of the sockets',
  { wsEngineServerOptions: { path: '/engine/' } },
  async (running) => {
    assert.equal((await running.open()).status, 400)
    assert.equal((await running.open({ path: '/engine/' })).status, 101)
  },
)

behaviour('ackTimeout of the options limits an invoke', { ackTimeout: 40 }, async (running) => {
  const { socket } = await running.rawPair()
  await assert.rejects(socket.invoke('unanswered'), {
    name: 'TimeoutError',
    message: 'Event response for unanswered event timed out',
  })
})

behaviour(
  'allowClientPublish false refuses #publish',
  { allowClientPublish: false },
  async (running) => {
    const client = await running.raw()
    await client.subscribe('c')
    const answer = await client.publish('c', 1)
    assert.deepEqual(answer.error, {
      name: 'InvalidActionError',
      message: 'Client publish feature is disabled',
    })
    await running.server.exchange.invokePublish('c', 2)
    await client.until(() => client.published('c').length === 1)
    assert.deepEqual(client.published('c'), [2])
  },
)

behaviour(
  'socketChannelLimit refuses the channel beyond the limit',
  { socketChannelLimit: 2 },
  async (running) => {
    const client = await running.raw()
    assert.equal((await client.subscribe('a')).error, undefined)
    assert.equal((await client.subscribe('b')).error, undefined)
    const refused = await client.subscribe('c')
    assert.equal(refused.error.name, 'BrokerError')
    assert.match(refused.error.message, /exceed the channel subscription limit of 2/)
    await client.invoke('#unsubscribe', 'a')
    assert.equal((await client.subscribe('c')).error, undefined)
  },
)

test('without an http server there is nothing to serve', () => {
  assert.throws(() => make({}), /server/i)
  assert.equal(make({ wsEngineServerOptions: { noServer: true } }).clientsCount, 0)
})

behaviour('an IPv6 origin stands without brackets', { origins: '::1:80' }, async ({ server }) => {
  const allowed = await new Promise((resolve) => {
    server.verifyHandshake({ req: {}, origin: 'http://[::1]:80' }, resolve)
  })
  assert.equal(allowed, true)
})
