'use strict'

const assert = require('node:assert/strict')
const jsonwebtoken = require('jsonwebtoken')
const { AUTH_KEY, behaviour, eventually, once } = require('../support')

const now = () => Math.floor(Date.now() / 1000)

async function authenticated(running, claims) {
  const pair = await running.rawPair()
  const token = jsonwebtoken.sign(claims, AUTH_KEY)
  const answer = await pair.client.invoke('#authenticate', token)
  assert.equal(answer.data.isAuthenticated, true)
  await eventually(() => pair.socket.authState === 'authenticated', 'authenticated socket')
  return pair
}

/** Makes the token of a socket an old one, so that no test waits for a second to pass. */
const expire = (socket) => (socket.authToken.exp = now() - 5)

behaviour('an inbound message after the expiry deauthenticates', async (running) => {
  const { client, socket } = await authenticated(running, { user: 'ann', exp: now() + 100 })
  assert.equal(socket.isAuthTokenExpired(socket.authToken), false)
  expire(socket)
  assert.equal(socket.isAuthTokenExpired(socket.authToken), true)
  const deauthenticate = once(socket, 'deauthenticate')
  client.transmit('anything')
  await deauthenticate
  await client.until(() => client.events('#removeAuthToken').length === 1)
  assert.equal(socket.authState, 'unauthenticated')
})

behaviour('a pong after the expiry deauthenticates', { pingInterval: 30 }, async (running) => {
  const { client, socket } = await authenticated(running, { user: 'ann', exp: now() + 100 })
  const deauthenticate = once(socket, 'deauthenticate')
  expire(socket)
  await deauthenticate
  await client.until(() => client.events('#removeAuthToken').length === 1)
})

behaviour('middleware learns that the token has just expired', async (running) => {
  let seen
  running.server.setMiddleware('inbound', async (stream) => {
    for await (const action of stream) {
      if (action.authTokenExpiredError) seen = action
      action.allow()
    }
  })
  const { client, socket } = await authenticated(running, { user: 'ann', exp: now() + 100 })
  expire(socket)
  await client.subscribe('a')
  assert.equal(seen.type, 'subscribe')
  assert.equal(seen.authTokenExpiredError.name, 'AuthTokenExpiredError')
  assert.equal(seen.authTokenExpiredError.message, 'The socket auth token has expired')
})

behaviour(
  'a token which expires while connected is taken at its second',
  { pingInterval: 40 },
  async (running) => {
    const { client, socket } = await authenticated(running, { user: 'ann', exp: now() + 2 })
    await client.until(() => client.events('#removeAuthToken').length === 1, 'expiry', 4000)
    assert.ok(Date.now() / 1000 >= now())
    await eventually(() => socket.authState === 'unauthenticated')
  },
)

behaviour(
  'authDefaultExpiry is the lifetime of a token',
  { authDefaultExpiry: 10 },
  async (running) => {
    const { socket } = await running.rawPair()
    await socket.setAuthToken({ user: 'ann' })
    assert.equal(socket.authToken.exp - socket.authToken.iat, 10)
  },
)

behaviour('expiresIn comes before authDefaultExpiry', async (running) => {
  const { socket } = await running.rawPair()
  await socket.setAuthToken({ user: 'ann' }, { expiresIn: 55 })
  assert.equal(socket.authToken.exp - socket.authToken.iat, 55)
})

behaviour('exp of the token comes before expiresIn', async (running) => {
  const { socket } = await running.rawPair()
  const exp = now() + 777
  await socket.setAuthToken({ user: 'ann', exp }, { expiresIn: 55 })
  assert.equal(socket.authToken.exp, exp)
})
