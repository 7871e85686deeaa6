'use strict'

const assert = require('node:assert/strict')
const crypto = require('node:crypto')
const { test } = require('node:test')
const jsonwebtoken = require('jsonwebtoken')
const { behaviour, once, startServer, forEachTransport, transportOption } = require('../support')

const KEY = 'k'.repeat(64)
const pem = { publicKeyEncoding: { type: 'spki', format: 'pem' } }
pem.privateKeyEncoding = { type: 'pkcs8', format: 'pem' }
const rsa = crypto.generateKeyPairSync('rsa', { modulusLength: 2048, ...pem })
const ec = (namedCurve) => crypto.generateKeyPairSync('ec', { namedCurve, ...pem })

const pairOptions = (pair, authAlgorithm) => ({
  authKey: undefined,
  authPrivateKey: pair.privateKey,
  authPublicKey: pair.publicKey,
  authAlgorithm,
})

const b64 = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
const soon = () => Math.floor(Date.now() / 1000) + 1000

/** A token put together by hand, with any header and any signature. */
function forge(header, claims, hash, key) {
  const text = `${b64(header)}.${b64(claims)}`
  if (!hash) return `${text}.`
  return `${text}.${crypto.createHmac(hash, key).update(text).digest('base64url')}`
}

async function tryToken(running, authToken) {
  const client = await running.open()
  const { data } = await client.handshake({ authToken })
  client.destroy()
  return data
}

async function assertRefused(running, token, name = 'AuthTokenInvalidError') {
  const data = await tryToken(running, token)
  assert.equal(data.isAuthenticated, false)
  assert.equal(data.authError.name, name, data.authError.message)
}

const algorithms = {
  HS256: { options: { authKey: KEY, authAlgorithm: 'HS256' }, sign: KEY, verify: KEY },
  HS384: { options: { authKey: KEY, authAlgorithm: 'HS384' }, sign: KEY, verify: KEY },
  HS512: { options: { authKey: KEY, authAlgorithm: 'HS512' }, sign: KEY, verify: KEY },
  RS256: { options: pairOptions(rsa, 'RS256'), sign: rsa.privateKey, verify: rsa.publicKey },
  RS512: { options: pairOptions(rsa, 'RS512'), sign: rsa.privateKey, verify: rsa.publicKey },
  PS256: { options: pairOptions(rsa, 'PS256'), sign: rsa.privateKey, verify: rsa.publicKey },
}
for (const [name, curve] of [
  ['ES256', 'prime256v1'],
  ['ES384', 'secp384r1'],
]) {
  const pair = ec(curve)
  const options = pairOptions(pair, name)
  algorithms[name] = { options, sign: pair.privateKey, verify: pair.publicKey }
}

for (const [algorithm, { options, sign, verify }] of Object.entries(algorithms)) {
  behaviour(
    `${algorithm} tokens of the server are read by jsonwebtoken`,
    options,
    async (running) => {
      const { client, socket } = await running.rawPair()
      await socket.setAuthToken({ user: 'ann', deep: { a: [null, 'é'] } })
      await client.until(() => client.events('#setAuthToken').length === 1)
      const { token } = client.events('#setAuthToken')[0].data
      const decoded = jsonwebtoken.verify(token, verify, {
        algorithms: [algorithm],
        complete: true,
      })
      assert.deepEqual(decoded.header, { alg: algorithm, typ: 'JWT' })
      assert.deepEqual(decoded.payload.deep, { a: [null, 'é'] })
      assert.equal((await tryToken(running, token)).isAuthenticated, true)
    },
  )

  behaviour(
    `${algorithm} tokens of jsonwebtoken are read by the server`,
    options,
    async (running) => {
      const connection = once(running.server, 'connection')
      const token = jsonwebtoken.sign({ user: 'ann' }, sign, { algorithm, expiresIn: 60 })
      assert.equal((await tryToken(running, token)).isAuthenticated, true)
      assert.equal((await connection).socket.signedAuthToken, token)
    },
  )
}

behaviour(
  'an algorithm other than authAlgorithm is refused',
  { authKey: KEY, authAlgorithm: 'HS512' },
  async (running) => {
    for (const algorithm of ['HS256', 'HS384']) {
      await assertRefused(running, jsonwebtoken.sign({ user: 'a' }, KEY, { algorithm }))
    }
  },
)

behaviour(
  'authVerifyAlgorithms lists what is read',
  { authKey: KEY, authVerifyAlgorithms: ['HS384'] },
  async (running) => {
    await assertRefused(running, jsonwebtoken.sign({ user: 'a' }, KEY, { algorithm: 'HS256' }))
    const good = jsonwebtoken.sign({ user: 'a' }, KEY, { algorithm: 'HS384' })
    assert.equal((await tryToken(running, good)).isAuthenticated, true)
  },
)

behaviour('a token without a signature is refused', { authKey: KEY }, async (running) => {
  for (const alg of ['none', 'None', 'nOnE', 'HS256', '']) {
    await assertRefused(running, forge({ alg, typ: 'JWT' }, { user: 'admin' }))
  }
})

behaviour('a public key is no HMAC key', pairOptions(rsa, 'RS256'), async (running) => {
  for (const [alg, hash] of [
    ['HS256', 'sha256'],
    ['HS512', 'sha512'],
  ]) {
    await assertRefused(running, forge({ alg, typ: 'JWT' }, { user: 'admin' }, hash, rsa.publicKey))
  }
})

behaviour(
  'a public key is no HMAC key even without authAlgorithm',
  pairOptions(rsa, undefined),
  async (running) => {
    await assertRefused(
      running,
      forge({ alg: 'HS256' }, { user: 'admin' }, 'sha256', rsa.publicKey),
    )
    const good = jsonwebtoken.sign({ user: 'a' }, rsa.privateKey, { algorithm: 'RS256' })
    assert.equal((await tryToken(running, good)).isAuthenticated, true)
  },
)

behaviour(
  'a header of another algorithm with an HMAC signature is refused',
  { authKey: KEY },
  async (running) => {
    for (const alg of ['RS256', 'ES256', 'PS256', 'EdDSA', 'hs256', null, ['HS256']]) {
      await assertRefused(running, forge({ alg, typ: 'JWT' }, { user: 'admin' }, 'sha256', KEY))
    }
  },
)

behaviour('a changed, cut or foreign token is refused', { authKey: KEY }, async (running) => {
  const token = jsonwebtoken.sign({ user: 'ann' }, KEY)
  const [head, body, signature] = token.split('.')
  const bad = [
    `${head}.${b64({ user: 'admin' })}.${signature}`,
    token.slice(0, -6),
    `${token}AAAA`,
    `${head}.${body}`,
    `${token}.x`,
    ` ${token}`,
    `Bearer ${token}`,
    '..',
    'abc',
    jsonwebtoken.sign({ user: 'ann' }, 'another key'),
    forge({ alg: 'HS256', jwk: { kty: 'oct', k: b64('x') } }, { user: 'a' }, 'sha256', 'x'),
  ]
  for (const each of bad) await assertRefused(running, each)
})

behaviour('claims of time must be numbers', { authKey: KEY }, async (running) => {
  for (const claims of [{ exp: 'never' }, { exp: {} }, { exp: `${soon()}` }, { nbf: 'x' }]) {
    await assertRefused(running, forge({ alg: 'HS256' }, claims, 'sha256', KEY))
  }
})

behaviour(
  'a token which is not active yet is refused without being taken away',
  { authKey: KEY },
  async (running) => {
    const connection = once(running.server, 'connection')
    const token = jsonwebtoken.sign({ user: 'ann', nbf: soon() }, KEY)
    await assertRefused(running, token, 'AuthTokenNotBeforeError')
    const { authError } = await connection
    assert.equal(authError.isBadToken, false)
  },
)

behaviour(
  'the issuer of setAuthToken is a claim of the token',
  { authKey: KEY },
  async (running) => {
    const { client, socket } = await running.rawPair()
    await socket.setAuthToken(
      { user: 'ann' },
      { issuer: 'the house', audience: 'all', subject: 's' },
    )
    await client.until(() => client.events('#setAuthToken').length === 1)
    const options = { issuer: 'the house', audience: 'all', subject: 's' }
    jsonwebtoken.verify(client.events('#setAuthToken')[0].data.token, KEY, options)
    assert.equal(socket.authToken.iss, 'the house')
  },
)

behaviour('notBefore and expiresIn as text are understood', { authKey: KEY }, async (running) => {
  const { socket } = await running.rawPair()
  await socket.setAuthToken({ user: 'ann' }, { expiresIn: '2h', notBefore: '10s' })
  const { exp, iat, nbf } = socket.authToken
  assert.equal(exp - iat, 7200)
  assert.equal(nbf - iat, 10)
})

forEachTransport((transport) => {
  test(`a key may be a Buffer (${transport})`, async () => {
    const key = crypto.randomBytes(40)
    const running = await startServer({ authKey: key, ...transportOption(transport) })
    try {
      const token = jsonwebtoken.sign({ user: 'ann' }, key)
      assert.equal((await tryToken(running, token)).isAuthenticated, true)
    } finally {
      await running.stop()
    }
  })
})

behaviour('a token of a type other than string is refused', { authKey: KEY }, async (running) => {
  for (const token of [5, true, {}, ['x']]) {
    const data = await tryToken(running, token)
    assert.equal(data.isAuthenticated, false)
    assert.equal(data.authError.name, 'AuthTokenError')
  }
  assert.equal((await tryToken(running, null)).authError, undefined)
  assert.equal((await tryToken(running, '')).authError, undefined)
})
