'use strict'

const assert = require('node:assert/strict')
const jsonwebtoken = require('jsonwebtoken')
const {
  AUTH_KEY,
  behaviour,
  consume,
  eventually,
  once,
  oursBehaviour,
  record,
} = require('../support')

const sign = (claims, options) => jsonwebtoken.sign(claims, AUTH_KEY, options)

async function connect(running, authToken) {
  const connection = once(running.server, 'connection')
  const client = await running.open()
  const answer = await client.handshake({ authToken })
  const { socket } = await connection
  return { client, socket, data: answer.data }
}

behaviour('setAuthToken sends a signed token and authenticates the socket', async (running) => {
  const { client, socket } = await running.rawPair()
  const change = once(socket, 'authStateChange')
  const authenticate = once(socket, 'authenticate')
  await socket.setAuthToken({ user: 'ann', list: [1] })
  await client.until(() => client.events('#setAuthToken').length === 1)
  const { token } = client.events('#setAuthToken')[0].data
  const claims = jsonwebtoken.verify(token, AUTH_KEY)
  assert.equal(claims.user, 'ann')
  assert.equal(claims.exp - claims.iat, 86400)
  assert.equal(socket.authState, 'authenticated')
  assert.deepEqual(socket.authToken, claims)
  assert.equal(socket.signedAuthToken, token)
  assert.equal((await authenticate).authToken, socket.authToken)
  assert.deepEqual(await change, {
    oldAuthState: 'unauthenticated',
    newAuthState: 'authenticated',
    authToken: socket.authToken,
  })
})

behaviour('the token of the handshake authenticates the socket', async (running) => {
  const authentication = once(running.server, 'authentication')
  const token = sign({ user: 'ann' }, { expiresIn: 100 })
  const { socket, data } = await connect(running, token)
  assert.equal(data.isAuthenticated, true)
  assert.equal(data.authError, undefined)
  assert.equal(socket.authToken.user, 'ann')
  assert.equal(socket.signedAuthToken, token)
  assert.equal((await authentication).socket, socket)
})

behaviour('loops set up in connection hear of the token of the handshake', async (running) => {
  const heard = []
  running.onConnection((socket) => {
    for (const name of ['authStateChange', 'authenticate']) {
      socket
        .listener(name)
        .once()
        .then((event) => heard.push([name, event.authToken.user]))
    }
  })
  const { client } = await connect(running, sign({ user: 'ann' }))
  await client.subscribe('barrier')
  assert.deepEqual(heard, [
    ['authStateChange', 'ann'],
    ['authenticate', 'ann'],
  ])
})

behaviour('a bad token of the handshake is a soft error', async (running) => {
  const bad = once(running.server, 'badSocketAuthToken')
  const { client, socket, data } = await connect(running, 'not a token')
  assert.equal(data.isAuthenticated, false)
  assert.equal(data.authError.name, 'AuthTokenInvalidError')
  assert.equal(data.authError.message, 'jwt malformed')
  assert.equal(socket.state, 'open')
  const { authError, signedAuthToken } = await bad
  assert.equal(authError.name, 'AuthTokenInvalidError')
  assert.equal(signedAuthToken, 'not a token')
  await client.until(() => client.events('#removeAuthToken').length === 1)
  await client.subscribe('still-open')
})

behaviour('an expired token is refused by its own error', async (running) => {
  const token = sign({ user: 'ann', exp: 1000000000 })
  const { data } = await connect(running, token)
  assert.equal(data.isAuthenticated, false)
  assert.equal(data.authError.name, 'AuthTokenExpiredError')
  assert.equal(data.authError.message, 'jwt expired')
  assert.equal(data.authError.expiry, '2001-09-09T01:46:40.000Z')
})

behaviour('#authenticate with a good token answers isAuthenticated', async (running) => {
  const { client, socket } = await running.rawPair()
  const answer = await client.invoke('#authenticate', sign({ user: 'ann' }))
  assert.deepEqual(answer.data, { isAuthenticated: true, authError: null })
  // A client in the same process may know a moment before the app does.
  const { user } = await eventually(() => socket.authToken, 'token of the socket')
  assert.equal(user, 'ann')
})

behaviour('#authenticate with a bad token is an error and takes the old one', async (running) => {
  const { client, socket } = await running.rawPair()
  await client.invoke('#authenticate', sign({ user: 'ann' }))
  const deauthenticate = once(socket, 'deauthenticate')
  const { error } = await client.invoke('#authenticate', 'x.y.z')
  assert.equal(error.name, 'AuthTokenInvalidError')
  await deauthenticate
  assert.equal(socket.authState, 'unauthenticated')
  assert.equal(socket.authToken, null)
  await client.until(() => client.events('#removeAuthToken').length === 1)
})

behaviour('#authenticate without a cid closes with 4008', async (running) => {
  const { client, socket } = await running.rawPair()
  const closed = once(socket, 'close')
  client.transmit('#authenticate', sign({ user: 'ann' }))
  assert.deepEqual(await client.untilClosed(), { code: 4008, reason: '' })
  assert.equal((await closed).code, 4008)
})

behaviour('deauthenticate removes the token here and there', async (running) => {
  const { client, socket } = await connect(running, sign({ user: 'ann' }))
  const old = socket.authToken
  const event = once(socket, 'deauthenticate')
  const servers = once(running.server, 'deauthentication')
  socket.deauthenticate()
  assert.equal(socket.authToken, null)
  assert.equal(socket.signedAuthToken, null)
  assert.equal((await event).oldAuthToken, old)
  assert.equal((await servers).oldAuthToken, old)
  await client.until(() => client.events('#removeAuthToken').length === 1)
  assert.deepEqual(client.events('#removeAuthToken')[0], { event: '#removeAuthToken' })
})

behaviour("the client's #removeAuthToken deauthenticates", async (running) => {
  const { client, socket } = await connect(running, sign({ user: 'ann' }))
  const change = once(socket, 'authStateChange')
  client.transmit('#removeAuthToken')
  assert.deepEqual(await change, {
    oldAuthState: 'authenticated',
    newAuthState: 'unauthenticated',
  })
})

behaviour('a replaced token leaves the old object as it was', async (running) => {
  const { socket } = await running.rawPair()
  await socket.setAuthToken({ user: 'ann' })
  const ann = socket.authToken
  const changes = record(socket, 'authStateChange')
  await socket.setAuthToken({ user: 'bob' })
  assert.equal(ann.user, 'ann')
  assert.equal(socket.authToken.user, 'bob')
  assert.equal(changes.length, 0)
})

behaviour('setAuthToken clones what it is given', async (running) => {
  const { socket } = await running.rawPair()
  const claims = { user: 'ann' }
  await socket.setAuthToken(claims)
  assert.deepEqual(claims, { user: 'ann' })
  assert.notEqual(socket.authToken, claims)
})

behaviour('rejectOnFailedDelivery waits for the client', async (running) => {
  const { client, socket } = await running.rawPair()
  const delivered = socket.setAuthToken({ user: 'ann' }, { rejectOnFailedDelivery: true })
  await client.until(() => client.events('#setAuthToken').length === 1)
  client.send({ rid: client.events('#setAuthToken')[0].cid })
  await delivered
  const refused = socket.deauthenticate({ rejectOnFailedDelivery: true })
  await client.until(() => client.events('#removeAuthToken').length === 1)
  client.send({ rid: client.events('#removeAuthToken')[0].cid, error: { message: 'will not' } })
  await assert.rejects(refused, { message: 'will not' })
})

behaviour('rejectOnFailedDelivery rejects when the client goes', async (running) => {
  const { client, socket } = await running.rawPair()
  const failed = assert.rejects(
    socket.setAuthToken({ user: 'ann' }, { rejectOnFailedDelivery: true }),
    { name: 'AuthError', message: /^Failed to deliver auth token to client/ },
  )
  await client.until(() => client.events('#setAuthToken').length === 1)
  client.destroy()
  await failed
})

// The client library resolves a call when it has read the answer, and takes a token when it has
// read that: a loop that goes on after a call finds the token in place if both came together.
for (const [when, turn] of [
  ['at once', (act) => act()],
  ['in a later turn', (act) => setImmediate(act)],
]) {
  behaviour(`a client has its token when its login is answered ${when}`, async (running) => {
    const { client, socket } = await running.pair()
    consume(socket.procedure('login'), (request) => {
      turn(() => {
        socket.setAuthToken({ user: 'ann' })
        request.end()
      })
    })
    consume(socket.procedure('logout'), (request) => {
      turn(() => {
        socket.deauthenticate()
        request.end()
      })
    })
    for (let round = 0; round < 50; round++) {
      await client.invoke('login')
      assert.equal(client.authState, 'authenticated')
      await client.invoke('logout')
      assert.equal(client.authState, 'unauthenticated')
    }
  })
}

oursBehaviour('an answer and a token of one turn go to the core together', async (running) => {
  const { client, socket } = await running.rawPair()
  const batches = spyOnFlushes(running.server._native)
  const login = socket.procedure('login').once()
  client.send({ event: 'login', cid: 77 })
  const request = await login
  await new Promise(setImmediate)
  batches.length = 0
  request.end()
  socket.setAuthToken({ user: 'ann' })
  // New interest does not wait, and does not take the answer along.
  const news = socket.receiver('news').once()
  assert.equal(batches.length, 1)
  assert.doesNotMatch(batches[0], /rid/)
  await client.until(() => client.events('#setAuthToken').length === 1)
  assert.match(batches[1], /"rid":77.*#setAuthToken/s)
  client.transmit('news', 1)
  assert.equal(await news, 1)
})

behaviour('setAuthToken before the handshake rejects', async (running) => {
  const handshake = once(running.server, 'handshake')
  await running.open()
  const { socket } = await handshake
  await assert.rejects(socket.setAuthToken({ a: 1 }), { name: 'InvalidActionError' })
})

behaviour('the algorithm of a token cannot be chosen at run time', async (running) => {
  const { client, socket } = await running.rawPair()
  const error = once(socket, 'error')
  await socket.setAuthToken({ a: 1 }, { algorithm: 'HS512' })
  assert.equal((await error).error.name, 'InvalidArgumentsError')
  await client.until(() => client.events('#setAuthToken').length === 1)
  const [header] = client.events('#setAuthToken')[0].data.token.split('.')
  assert.equal(JSON.parse(Buffer.from(header, 'base64url')).alg, 'HS256')
})

behaviour('a token which cannot be signed closes with 4002', async (running) => {
  const { client, socket } = await running.rawPair()
  await assert.rejects(socket.setAuthToken({ iss: 'a' }, { issuer: 'b' }), /issuer/)
  assert.equal((await client.untilClosed()).code, 4002)
})

behaviour('authTokenSigned is emitted once the token is signed', async (running) => {
  const { socket } = await running.rawPair()
  const signed = once(socket, 'authTokenSigned')
  socket.setAuthToken({ user: 'ann' })
  const { signedAuthToken } = await signed
  assert.equal(socket.signedAuthToken, signedAuthToken)
})

behaviour('the client library keeps its token for the next connection', async (running) => {
  const { client, socket } = await running.pair()
  const got = once(client, 'authenticate')
  socket.setAuthToken({ user: 'ann' })
  await got
  const disconnected = once(socket, 'end')
  client.disconnect()
  await disconnected
  const connection = once(running.server, 'connection')
  client.connect()
  const again = await connection
  assert.equal(again.isAuthenticated, true)
  assert.equal(again.socket.authToken.user, 'ann')
})

/** The texts of all that is handed to the core from now on. */
function spyOnFlushes(link) {
  const batches = []
  const { core } = link
  const flush = (buffer, length, seen) => {
    if (length > 0) batches.push(buffer.toString('latin1', 0, length))
    core.flush(buffer, length, seen)
  }
  const bound = (name) => (typeof core[name] === 'function' ? core[name].bind(core) : core[name])
  link.core = new Proxy(core, { get: (_, name) => (name === 'flush' ? flush : bound(name)) })
  return batches
}
