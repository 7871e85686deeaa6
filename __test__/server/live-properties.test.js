'use strict'

const assert = require('node:assert/strict')
const jsonwebtoken = require('jsonwebtoken')
const { behaviour } = require('../support')

behaviour('server.pingTimeout is read when a client connects', async (running) => {
  running.server.pingTimeout = 12345
  const client = await running.open()
  assert.equal((await client.handshake()).data.pingTimeout, 12345)
})

behaviour('a shorter server.pingTimeout and pingInterval count at once', async (running) => {
  running.server.pingInterval = 20
  running.server.pingTimeout = 80
  const client = await running.raw({ answerPings: false })
  assert.equal((await client.untilClosed(2000)).code, 4001)
})

behaviour('server.handshakeTimeout counts for the next socket', async (running) => {
  running.server.handshakeTimeout = 40
  const client = await running.open()
  assert.equal((await client.untilClosed(2000)).code, 4005)
})

behaviour('server.ackTimeout counts for the next invoke', async (running) => {
  const { socket } = await running.rawPair()
  running.server.ackTimeout = 30
  await assert.rejects(socket.invoke('silence'), { name: 'TimeoutError' })
})

behaviour('server.allowClientPublish can be switched off and on', async (running) => {
  const client = await running.raw()
  running.server.allowClientPublish = false
  assert.equal((await client.publish('a', 1)).error.name, 'InvalidActionError')
  running.server.allowClientPublish = true
  assert.equal((await client.publish('a', 1)).error, undefined)
})

behaviour('server.socketChannelLimit counts for the next subscription', async (running) => {
  const client = await running.raw()
  await client.subscribe('a')
  running.server.socketChannelLimit = 1
  assert.equal((await client.subscribe('b')).error.name, 'BrokerError')
  running.server.socketChannelLimit = 2
  assert.equal((await client.subscribe('b')).error, undefined)
})

behaviour('server.strictHandshake can be switched off', async (running) => {
  const strict = await running.open()
  strict.transmit('early')
  assert.equal((await strict.untilClosed()).code, 4009)
  running.server.strictHandshake = false
  const lax = await running.open()
  lax.transmit('early')
  assert.equal((await lax.handshake()).data.isAuthenticated, false)
})

behaviour('server.verificationKey decides about the next token', async (running) => {
  const token = jsonwebtoken.sign({ user: 'ann' }, 'the new key')
  const before = await running.open()
  assert.equal((await before.handshake({ authToken: token })).data.isAuthenticated, false)
  running.server.verificationKey = 'the new key'
  const after = await running.open()
  assert.equal((await after.handshake({ authToken: token })).data.isAuthenticated, true)
})

behaviour('server.signatureKey signs the next token', async (running) => {
  const { client, socket } = await running.rawPair()
  running.server.signatureKey = 'another key'
  await socket.setAuthToken({ user: 'ann' })
  await client.until(() => client.events('#setAuthToken').length === 1)
  const { token } = client.events('#setAuthToken')[0].data
  assert.equal(jsonwebtoken.verify(token, 'another key').user, 'ann')
})

behaviour('server.middlewareEmitFailures is read from the server', async (running) => {
  const { server } = running
  server.setMiddleware('inbound', async (stream) => {
    for await (const action of stream) action.block(new Error(`blocked ${action.channel}`))
  })
  const client = await running.raw()
  server.middlewareEmitFailures = false
  await client.subscribe('unheard')
  server.middlewareEmitFailures = true
  await client.subscribe('heard')
  await running.warnings.count(1)
  assert.deepEqual(
    running.warnings.map(({ warning }) => warning.message),
    ['blocked heard'],
  )
})

behaviour('setAuthEngine replaces the engine of a running server', async (running) => {
  running.server.setAuthEngine({ verifyToken: async (token) => ({ said: token }) })
  const client = await running.open()
  assert.equal((await client.handshake({ authToken: 'anything' })).data.isAuthenticated, true)
  const socket = await running.socketOf(client.id)
  assert.deepEqual(socket.authToken, { said: 'anything' })
})
