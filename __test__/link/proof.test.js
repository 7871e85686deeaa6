'use strict'

// Both sides prove that they know the token, and nobody is told it.

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { randomBytes } = require('node:crypto')
const { once } = require('node:events')
const WebSocket = require('ws')
const { Client, hosts, frames, url } = require('../../lib/link')
const { getBody, put } = require('./support/memory')
const { proofOf, helloFrame, proofFrame, challengeOf, greet } = require('./support/greeting')

const { KINDS, PATH, SUBPROTOCOL, Reader, Writer, frame, split } = frames
const limit = { timeout: 60_000 }
const token = 'a long and random token'

function listening(t, options = { token }) {
  const machine = hosts.listen('http://127.0.0.1:0', options)
  t.after(() => machine.release())
  return machine
}

async function connect(t, { port }) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${PATH}data/`, SUBPROTOCOL)
  t.after(() => socket.terminate())
  await once(socket, 'open')
  return socket
}

/** A client, what becomes of a question of its, and with what it is closed. */
function client(t, { port }, options = { token }) {
  const made = new Client(url.parse(`http://127.0.0.1:${port}/`), { role: 'data', ...options })
  t.after(() => made.close())
  const asked = made.request(KINDS.GET, getBody('k'))
  asked.catch(() => {})
  return { client: made, asked, end: once(made, 'closed') }
}

/** Listens where a machine is expected, and does with a frame what it likes. */
async function impostor(t, act) {
  const server = new WebSocket.Server({ host: '127.0.0.1', port: 0 })
  t.after(() => {
    for (const socket of server.clients) socket.terminate()
    server.close()
  })
  await once(server, 'listening')
  const heard = []
  server.on('connection', (socket, request) => {
    heard.push(Buffer.from(JSON.stringify([request.url, request.rawHeaders])))
    socket.on('message', (bytes) => {
      heard.push(bytes)
      act(socket, split(bytes))
    })
  })
  return { port: server.address().port, heard }
}

/** Passes on what comes from either side, as `change` likes it. */
async function relay(t, machine, change = (_from, bytes) => bytes) {
  const server = new WebSocket.Server({ host: '127.0.0.1', port: 0 })
  t.after(() => server.close())
  await once(server, 'listening')
  server.on('connection', (near) => {
    const far = new WebSocket(`ws://127.0.0.1:${machine.port}${PATH}data/`, SUBPROTOCOL)
    const opened = once(far, 'open')
    const pass = (from, to) => async (bytes) => {
      await opened
      to.send(change(from, bytes))
    }
    const end = (to) => (code, reason) => {
      if (code >= 4000) to.close(code, reason)
      else to.terminate()
    }
    near.on('message', pass('client', far)).on('close', end(far))
    far.on('message', pass('server', near)).on('close', end(near))
  })
  return { port: server.address().port }
}

const closed = async (socket) => (await once(socket, 'close'))[0]

test('a client and a machine with the same token find each other', limit, async (t) => {
  const machine = listening(t)
  const { client: made, asked } = client(t, machine)
  await asked
  assert.equal(made.greeting.pid, process.pid)
  const socket = await connect(t, machine)
  const body = await greet(socket, { token })
  assert.equal(new Reader(body.subarray(1)).str(), `{"id":2,"pid":${process.pid}}`)
})

test(
  'who is in the place of a machine learns no token and can answer nothing',
  limit,
  async (t) => {
    const proofless = new Writer().u8(0).str('{"id":1}').finish()
    const guessed = (random) =>
      Buffer.concat([
        Buffer.of(0),
        random,
        proofOf('guess', 'server', { client: random, server: random }),
      ])
    for (const body of [
      () => proofless,
      () => Buffer.of(0),
      () => Buffer.concat([Buffer.of(0), randomBytes(64)]),
      (bytes) => guessed(bytes.subarray(-32)),
      // What it was sent itself, as if it were its own.
      (bytes) => Buffer.concat([Buffer.of(0), bytes.subarray(-32), bytes.subarray(-32)]),
    ]) {
      const fake = await impostor(t, (socket, { kind, id, body: sent }) => {
        if (kind === KINDS.HELLO) socket.send(frame(KINDS.ANSWER, id, body(sent)))
      })
      const { asked, end } = client(t, fake)
      await assert.rejects(asked, { code: 'ERR_NC_CONNECT', message: /4401 token refused/ })
      assert.equal((await end)[0].code, 'ERR_NC_CONNECT')
      assert.equal(fake.heard.length, 2)
      assert.equal(split(fake.heard[1]).kind, KINDS.HELLO)
      for (const bytes of fake.heard) assert.equal(bytes.includes(token), false)
    }
  },
)

test(
  'what an impostor sends before it has proved anything is not listened to',
  limit,
  async (t) => {
    for (const [kind, id, body] of [
      [KINDS.ANSWER, 2, Buffer.alloc(17)],
      [KINDS.CHUNK, 0, Buffer.alloc(20)],
      [KINDS.CHANGES, 1, Buffer.alloc(4)],
      [KINDS.CONTROL, 0, new Writer().str('{}').finish()],
      [KINDS.ANSWER, 1, Buffer.alloc(64 * 1024)],
    ]) {
      const fake = await impostor(t, (socket) => socket.send(frame(kind, id, body)))
      const { client: made, asked } = client(t, fake, { token, connectTimeout: 300 })
      const pushed = []
      for (const push of [KINDS.CHUNK, KINDS.CHANGES, KINDS.CONTROL]) {
        made.onPush(push, () => pushed.push(push))
      }
      await assert.rejects(asked, { code: 'ERR_NC_CONNECT' })
      assert.deepEqual(pushed, [])
      assert.equal(made.connected, false)
      made.close()
    }
  },
)

test('a proof that was overheard opens nothing a second time', limit, async (t) => {
  const machine = listening(t)
  const heard = []
  const between = await relay(t, machine, (from, bytes) => {
    if (from === 'client') heard.push(bytes)
    assert.equal(bytes.includes(token), false)
    return bytes
  })
  await client(t, between).asked
  const [hello, proof] = heard
  assert.equal(split(proof).kind, KINDS.PROOF)
  const socket = await connect(t, machine)
  const challenge = once(socket, 'message')
  socket.send(hello)
  await challenge
  const answer = once(socket, 'message')
  const end = closed(socket)
  socket.send(proof)
  const reader = new Reader(split((await answer)[0]).body)
  assert.equal(reader.u8(), 1)
  assert.equal(reader.str(), 'ERR_NC_CONNECT')
  assert.equal(reader.str(), 'token refused')
  assert.equal(await end, 4401)
})

test('numbers that were changed on the way are noticed', limit, async (t) => {
  const machine = listening(t)
  const flip = (bytes, at) => {
    const changed = Buffer.from(bytes)
    changed[at < 0 ? changed.length + at : at] ^= 1
    return changed
  }
  const ofServer = (at) => (from, bytes) =>
    from === 'server' && bytes.length === 70 ? flip(bytes, at) : bytes
  for (const change of [
    ofServer(6),
    ofServer(37),
    ofServer(38),
    ofServer(-1),
    (from, bytes) => (split(bytes).kind === KINDS.HELLO ? flip(bytes, -1) : bytes),
    (from, bytes) => (split(bytes).kind === KINDS.PROOF ? flip(bytes, -1) : bytes),
  ]) {
    const { end } = client(t, await relay(t, machine, change))
    const [error] = await end
    assert.equal(error.code, 'ERR_NC_CONNECT')
    assert.match(error.message, /4401 token refused/)
  }
})

test('a wrong token, and one that only one side has, are refused for good', limit, async (t) => {
  const guarded = listening(t)
  const open = listening(t, {})
  for (const [machine, options, reason] of [
    [guarded, { token: 'wrong' }, /4401 token refused: the other side does not know it/],
    [guarded, { token: `${token} ` }, /4401 token refused: the other side does not know it/],
    [guarded, {}, /4401 token refused: one is needed/],
    [open, { token }, /4401 token refused: there is none here/],
  ]) {
    const { asked, end } = client(t, machine, options)
    await assert.rejects(asked, { code: 'ERR_NC_CONNECT', message: reason })
    assert.equal((await end)[0].code, 'ERR_NC_CONNECT')
  }
})

test('a machine proves itself to nobody who is not to be proved to', limit, async (t) => {
  const machine = listening(t)
  const socket = await connect(t, machine)
  const random = randomBytes(32)
  const { kind, id, status, server, proof } = await challengeOf(socket, random)
  assert.deepEqual([kind, id, status], [KINDS.ANSWER, 1, 0])
  assert.deepEqual(Buffer.from(proof), proofOf(token, 'server', { client: random, server }))
  const other = await challengeOf(await connect(t, machine), random)
  assert.notDeepEqual(other.server, server)
})

test('between a HELLO and its proof nothing else may come', limit, async (t) => {
  const machine = listening(t)
  const random = randomBytes(32)
  const late = (async () => {
    const socket = await connect(t, machine)
    await challengeOf(socket, random)
    const started = performance.now()
    assert.equal(await closed(socket), 4402)
    assert.ok(performance.now() - started > 4000)
  })()
  for (const bytes of [
    frame(KINDS.GET, 2, getBody('k')),
    frame(KINDS.COMMIT, 2, put('k', 1)),
    helloFrame({}, random),
    proofFrame(Buffer.alloc(31)),
    proofFrame(Buffer.alloc(33)),
    Buffer.alloc(0),
    'text',
  ]) {
    const socket = await connect(t, machine)
    await challengeOf(socket, random)
    socket.send(bytes)
    assert.equal(await closed(socket), 4402)
  }
  const early = await connect(t, machine)
  early.send(proofFrame(Buffer.alloc(32)))
  assert.equal(await closed(early), 4402)
  const both = await connect(t, machine)
  const { server } = await challengeOf(both, random)
  const proof = proofFrame(proofOf(token, 'client', { client: random, server }))
  const answer = once(both, 'message')
  both.send(proof)
  assert.equal(split((await answer)[0]).body[0], 0)
  both.send(proof)
  assert.equal(await closed(both), 4403)
  await late
})

test('nobody waits long for a machine that says nothing', limit, async (t) => {
  let ended = 0
  const fake = await impostor(t, (socket) => socket.on('close', () => (ended += 1)))
  const started = performance.now()
  const { client: made, asked } = client(t, fake, { token, connectTimeout: 7000 })
  await assert.rejects(asked, { code: 'ERR_NC_CONNECT', message: /no answer/ })
  assert.ok(performance.now() - started > 4000)
  assert.equal(ended, 1)
  made.close()
})

test('a second attempt needs a second connection', limit, async (t) => {
  const machine = listening(t)
  const socket = await connect(t, machine)
  const random = randomBytes(32)
  const { server } = await challengeOf(socket, random)
  const proof = proofOf(token, 'client', { client: random, server })
  const answers = []
  socket.on('message', (bytes) => answers.push(split(bytes).body[0]))
  socket.send(proofFrame(Buffer.alloc(32)))
  socket.send(proofFrame(proof))
  assert.equal(await closed(socket), 4401)
  assert.deepEqual(answers, [1])
})

test('a proof is for one role and one name', limit, async (t) => {
  const machine = listening(t)
  for (const wrong of [{ role: 'events' }, { role: 'control' }, { name: 'a' }]) {
    const socket = await connect(t, machine)
    const end = closed(socket)
    assert.equal((await greet(socket, { token, ...wrong }))[0], 1)
    assert.equal(await end, 4401)
  }
})
