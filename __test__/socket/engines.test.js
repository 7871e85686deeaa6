'use strict'

const assert = require('node:assert/strict')
const AGRequest = require('ag-request')
const AGSimpleBroker = require('ag-simple-broker')
const { behaviour, eventually, once, record } = require('../support')

behaviour(
  'an authEngine verifies and signs in place of the default',
  () => {
    const calls = []
    const authEngine = {
      calls,
      verifyToken: async (token, key, options) => {
        calls.push(['verify', token, key, options.socket.id])
        if (token === 'good') return { user: 'ann' }
        throw Object.assign(new Error('bad token'), { name: 'JsonWebTokenError' })
      },
      signToken: async (token, key, options) => {
        calls.push(['sign', token.user, key, options.expiresIn])
        return `signed ${token.user}`
      },
    }
    return { authEngine, authKey: 'key' }
  },
  async (running) => {
    const { calls } = running.server.auth
    const { client, socket } = await running.rawPair({ handshake: { authToken: 'good' } })
    assert.equal(socket.authToken.user, 'ann')
    await socket.setAuthToken({ user: 'bob' })
    await client.until(() => client.events('#setAuthToken').length === 1)
    assert.equal(client.events('#setAuthToken')[0].data.token, 'signed bob')
    assert.deepEqual(calls, [
      ['verify', 'good', 'key', socket.id],
      ['sign', 'bob', 'key', 86400],
    ])
    const refused = await client.invoke('#authenticate', 'bad')
    assert.equal(refused.error.name, 'AuthTokenInvalidError')
  },
)

behaviour(
  'a slow authEngine delays the connection of its client only',
  () => {
    const gates = []
    const verifyToken = (token) =>
      token
        ? new Promise((resolve) => gates.push(() => resolve({ user: token })))
        : Promise.reject(new Error('none'))
    return { authEngine: { gates, verifyToken } }
  },
  async (running) => {
    const { gates } = running.server.auth
    const slow = await running.open()
    const answer = slow.handshake({ authToken: 'slow' })
    await eventually(() => gates.length === 1, 'verification')
    await running.assertServes()
    assert.equal(slow.packets.length, 0)
    gates[0]()
    assert.equal((await answer).data.isAuthenticated, true)
  },
)

behaviour(
  'an AGSimpleBroker of the caller is used as it is',
  () => ({ brokerEngine: new AGSimpleBroker() }),
  async (running) => {
    const { brokerEngine, exchange } = running.server
    assert.ok(brokerEngine instanceof AGSimpleBroker)
    const publications = record(brokerEngine, 'publish')
    const client = await running.raw()
    await client.subscribe('a')
    assert.deepEqual(brokerEngine.subscriptions(), ['a'])
    await client.publish('a', 1)
    await exchange.invokePublish('a', 2)
    await publications.count(2)
    assert.deepEqual(client.published('a').slice(0, 1), [1])
    await client.until(() => client.published('a').length === 2)
  },
)

behaviour(
  'a replaced subscribeSocket can refuse a subscription',
  () => {
    const brokerEngine = new AGSimpleBroker()
    const { subscribeSocket } = brokerEngine
    brokerEngine.subscribeSocket = async function (socket, channel) {
      if (channel === 'closed') throw new Error('the channel is closed')
      return subscribeSocket.call(this, socket, channel)
    }
    return { brokerEngine }
  },
  async (running) => {
    const { client, socket } = await running.rawPair()
    const { error } = await client.subscribe('closed')
    assert.equal(error.name, 'BrokerError')
    assert.match(error.message, /closed channel - Error: the channel is closed$/)
    assert.equal((await client.subscribe('open')).error, undefined)
    assert.deepEqual(socket.subscriptions(), ['open'])
    assert.equal(socket.channelSubscriptionsCount, 1)
  },
)

behaviour(
  'a replaced unsubscribeSocket is awaited before the unsubscribe event',
  () => ({ brokerEngine: new AGSimpleBroker() }),
  async (running) => {
    const { brokerEngine } = running.server
    const order = []
    const { unsubscribeSocket } = brokerEngine
    brokerEngine.unsubscribeSocket = async function (socket, channel) {
      await new Promise((resolve) => setTimeout(resolve, 20))
      order.push('broker')
      return unsubscribeSocket.call(this, socket, channel)
    }
    const { client, socket } = await running.rawPair()
    await client.subscribe('a')
    const unsubscribe = once(socket, 'unsubscribe').then(() => order.push('event'))
    const end = once(socket, 'end').then(() => order.push('end'))
    client.destroy()
    await Promise.all([unsubscribe, end])
    assert.deepEqual(order, ['broker', 'event', 'end'])
  },
)

behaviour(
  'an error of unsubscribeSocket is a warning',
  () => ({ brokerEngine: new AGSimpleBroker() }),
  async (running) => {
    running.server.brokerEngine.unsubscribeSocket = async () => {
      throw new Error('stuck')
    }
    const { client, socket } = await running.rawPair()
    await client.subscribe('a')
    const end = once(socket, 'end')
    client.sendClose(1000)
    await end
    await running.warnings.until((list) =>
      list.some(({ warning }) => warning.name === 'BrokerError' && /stuck/.test(warning.message)),
    )
  },
)

behaviour('methods of the default broker can be replaced too', async (running) => {
  const { brokerEngine } = running.server
  const seen = []
  const { subscribeSocket } = brokerEngine
  brokerEngine.subscribeSocket = async function (socket, channel) {
    seen.push([socket.id, channel])
    if (channel === 'no') throw new Error('not that one')
    return subscribeSocket.call(brokerEngine, socket, channel)
  }
  const { client, socket } = await running.rawPair()
  await client.subscribe('yes')
  assert.match((await client.subscribe('no')).error.message, /not that one/)
  assert.deepEqual(seen, [
    [socket.id, 'yes'],
    [socket.id, 'no'],
  ])
  await client.publish('yes', 1)
  assert.deepEqual(client.published('yes'), [1])
})

behaviour(
  'an error of the broker is a warning of the server',
  () => ({ brokerEngine: new AGSimpleBroker() }),
  async (running) => {
    running.server.brokerEngine.emit('error', { error: new Error('broker broke') })
    await running.warnings.count(1)
    assert.equal(running.warnings[0].warning.message, 'broker broke')
  },
)

behaviour(
  'requestCreator makes every request',
  () => {
    const made = []
    const requestCreator = (socket, id, procedure, data) => {
      made.push(procedure)
      const request = new AGRequest(socket, id, procedure, data)
      request.mark = `made for ${procedure}`
      return request
    }
    requestCreator.made = made
    return { requestCreator }
  },
  async (running) => {
    running.procedure('mark', (request) => request.end(request.mark))
    const client = await running.raw()
    assert.equal((await client.invoke('mark')).data, 'made for mark')
    await client.subscribe('a')
    const { made } = running.server.options.requestCreator
    assert.deepEqual(made, ['#handshake', 'mark', '#subscribe'])
  },
)
