'use strict'

const assert = require('node:assert/strict')
const jsonwebtoken = require('jsonwebtoken')
const { AUTH_KEY, behaviour, once } = require('../support')

/** Sets the handshake middleware: `decide` answers each action. */
function decide(running, decision) {
  running.server.setMiddleware('handshake', async (stream) => {
    for await (const action of stream) decision(action)
  })
}

const fail = (message, extra) => Object.assign(new Error(message), { name: 'DeniedError' }, extra)

behaviour('one stream sees both steps of a handshake', async (running) => {
  const seen = []
  decide(running, (action) => {
    seen.push(action)
    action.allow()
  })
  const token = jsonwebtoken.sign({ user: 'ann' }, AUTH_KEY)
  const connection = once(running.server, 'connection')
  const client = await running.open({ path: '/socketcluster/?x=1' })
  await client.handshake({ authToken: token })
  const { socket } = await connection
  const [ws, sc] = seen
  assert.equal(ws.type, 'handshakeWS')
  assert.equal(ws.request.url, '/socketcluster/?x=1')
  assert.equal(ws.HANDSHAKE_WS, 'handshakeWS')
  assert.equal(sc.type, 'handshakeSC')
  assert.equal(sc.socket, socket)
  assert.equal(sc.request, socket.request)
  assert.equal(sc.data.signedAuthToken, token)
  assert.equal(sc.data.authToken.user, 'ann')
  assert.equal(sc.data.authTokenError, null)
  assert.equal(sc.data.authState, 'authenticated')
})

behaviour('a blocked HANDSHAKE_WS is refused with 401 and its message', async (running) => {
  decide(running, (action) => action.block(fail('stay away')))
  const client = await running.open()
  assert.equal(client.status, 401)
  await client.until(() => client.body.length > 0 || client.ended)
  assert.equal(client.body, 'stay away')
  assert.equal(running.counts(), 0)
  await running.warnings.count(1)
  assert.equal(running.warnings[0].warning.message, 'stay away')
})

behaviour('HANDSHAKE_WS can wait before it allows', async (running) => {
  const held = []
  decide(running, (action) => {
    if (action.type === action.HANDSHAKE_WS) held.push(action)
    else action.allow()
  })
  const opening = running.open()
  const { eventually } = require('../support')
  await eventually(() => held.length === 1, 'held handshake')
  held[0].allow()
  const client = await opening
  assert.equal(client.status, 101)
  assert.equal((await client.handshake()).data.isAuthenticated, false)
})

behaviour('a client which leaves during HANDSHAKE_WS leaves nothing behind', async (running) => {
  const held = []
  decide(running, (action) => {
    if (action.type === action.HANDSHAKE_WS && held.length === 0) held.push(action)
    else action.allow()
  })
  const { RawClient, eventually } = require('../support')
  const client = new RawClient({ port: running.port })
  await client.connectTcp()
  client.write(client.upgradeRequest())
  await eventually(() => held.length === 1, 'held handshake')
  client.destroy()
  held[0].allow()
  await running.assertServes()
  await running.untilEmpty()
})

behaviour('a blocked HANDSHAKE_SC is answered, then closed with 4008', async (running) => {
  decide(running, (action) => {
    if (action.type === action.HANDSHAKE_SC) action.block(fail('not today'))
    else action.allow()
  })
  const client = await running.open()
  const answer = await client.handshake()
  assert.deepEqual(answer.error, { name: 'DeniedError', message: 'not today', statusCode: 4008 })
  assert.equal((await client.untilClosed()).code, 4008)
  await running.untilEmpty()
})

behaviour('the statusCode of a blocking error is the close code', async (running) => {
  decide(running, (action) => {
    if (action.type === action.HANDSHAKE_SC) action.block(fail('no', { statusCode: 4501 }))
    else action.allow()
  })
  const client = await running.open()
  assert.equal((await client.handshake()).error.statusCode, 4501)
  assert.equal((await client.untilClosed()).code, 4501)
})

behaviour('a silent block hides its error from the client', async (running) => {
  decide(running, (action) => {
    if (action.type === action.HANDSHAKE_SC) action.block(fail('secret', { silent: true }))
    else action.allow()
  })
  const client = await running.open()
  const { error } = await client.handshake()
  assert.equal(error.name, 'SilentMiddlewareBlockedError')
  assert.equal(error.type, 'handshake')
  assert.equal(error.message, 'The handshakeSC AGAction was blocked by handshake middleware')
  await running.warnings.count(1)
  assert.equal(running.warnings[0].warning.message, 'secret')
})

behaviour('waiting HANDSHAKE_SC delays that client only', async (running) => {
  const held = []
  decide(running, (action) => {
    const waits = action.type === action.HANDSHAKE_SC && action.request.url.includes('wait')
    if (waits) held.push(action)
    else action.allow()
  })
  const slow = await running.open({ path: '/socketcluster/?wait' })
  const answer = slow.handshake()
  await running.assertServes()
  assert.equal(slow.packets.length, 0)
  assert.equal(held.length, 1)
  held[0].allow()
  assert.equal((await answer).data.isAuthenticated, false)
})

behaviour(
  'middleware sees a bad origin before it is refused',
  { origins: 'a.example:*' },
  async (running) => {
    const types = []
    decide(running, (action) => {
      types.push(action.type)
      action.allow()
    })
    const client = await running.open({ headers: { Origin: 'http://b.example' } })
    assert.equal(client.status, 403)
    assert.deepEqual(types, ['handshakeWS'])
  },
)
