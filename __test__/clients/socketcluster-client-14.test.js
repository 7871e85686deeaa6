'use strict'

const assert = require('node:assert/strict')
const jsonwebtoken = require('jsonwebtoken')
const legacyClient = require('socketcluster-client-v14')
const { AUTH_KEY, behaviour, eventually, once, within } = require('../support')

const PROTOCOL_1 = { protocolVersion: 1, pingInterval: 40, pingTimeout: 400 }

/** A connected client of version 14, closed at the end of the body. */
function withClient(name, body) {
  behaviour(name, PROTOCOL_1, async (running) => {
    const connect = async () => {
      const client = legacyClient.create({
        hostname: '127.0.0.1',
        port: running.port,
        autoReconnect: false,
        multiplex: false,
      })
      running._clients.push(client)
      const status = await once(client, 'connect')
      return { client, status, socket: await running.socketOf(client.id) }
    }
    await body(running, connect)
  })
}

const emit = (client, event, data) =>
  within(
    new Promise((resolve, reject) => {
      client.emit(event, data, (error, answer) => (error ? reject(error) : resolve(answer)))
    }),
    `acknowledgement of ${event}`,
  )

withClient('client 14 subscribes, publishes and unsubscribes', async (running, connect) => {
  const one = await connect()
  const two = await connect()
  const channel = one.client.subscribe('news')
  await once(channel, 'subscribe')
  const got = []
  channel.watch((data) => got.push(data))
  for (let n = 0; n < 20; n++) two.client.publish('news', { n })
  await within(
    new Promise((resolve) => channel.watch(({ n }) => n === 19 && resolve())),
    'last publication',
  )
  assert.deepEqual(
    got,
    Array.from({ length: 20 }, (_, n) => ({ n })),
  )
  const unsubscribed = once(one.socket, 'unsubscribe')
  channel.unsubscribe()
  assert.deepEqual(await unsubscribed, { channel: 'news' })
})

withClient('client 14 gets answers and errors to its requests', async (running, connect) => {
  running.procedure('double', (request) => request.end(request.data * 2))
  running.procedure('fail', (request) =>
    request.error(Object.assign(new Error('no'), { name: 'RefusedError' })),
  )
  const { client } = await connect()
  assert.equal(await emit(client, 'double', 21), 42)
  await assert.rejects(emit(client, 'fail'), { name: 'RefusedError', message: 'no' })
})

withClient('client 14 answers requests of the server', async (running, connect) => {
  const { client, socket } = await connect()
  client.on('sum', (data, respond) => respond(null, data[0] + data[1]))
  assert.equal(await socket.invoke('sum', [40, 2]), 42)
  const heard = once(client, 'notice')
  socket.transmit('notice', 'hello')
  assert.equal(await heard, 'hello')
})

withClient('client 14 authenticates and keeps the token it is given', async (running, connect) => {
  const { client, socket } = await connect()
  assert.equal(client.authState, 'unauthenticated')
  const authenticated = once(socket, 'authenticate')
  client.authenticate(jsonwebtoken.sign({ user: 'ann' }, AUTH_KEY))
  assert.equal((await authenticated).authToken.user, 'ann')
  socket.setAuthToken({ user: 'bob' })
  await eventually(() => client.authToken && client.authToken.user === 'bob', 'token of the server')
  const gone = once(client, 'deauthenticate')
  socket.deauthenticate()
  await gone
  assert.equal(client.authToken, null)
})

withClient('client 14 stays connected through pings', async (running, connect) => {
  const { client, socket } = await connect()
  for (let pings = 0; pings < 12; pings++) await once(socket, 'message')
  assert.equal(client.state, 'open')
  assert.equal(socket.state, 'open')
})
