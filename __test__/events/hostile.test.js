'use strict'

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { once } = require('node:events')
const WebSocket = require('ws')
const { frames } = require('../../lib/link')
const { setting } = require('./support')

const { CLOSE, KINDS, PATH, SUBPROTOCOL, TAGS, Writer, frame, split } = frames
const limit = { timeout: 60_000 }
const hello = frame(KINDS.HELLO, 1, new Writer().str('{}').finish())
const event = (tag, data) => new Writer().u8(1).str('x').value(tag, data).finish()

/** Somebody connected to the events of this URL who has been let in. */
async function connect(t, url) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}${PATH.slice(1)}events/`, SUBPROTOCOL)
  t.after(() => socket.terminate())
  await once(socket, 'open')
  socket.send(hello)
  await once(socket, 'message')
  return socket
}

/** @type {[string, Uint8Array][]} */
const malformed = [
  ['nothing', new Uint8Array()],
  ['half a frame', frame(KINDS.EMIT, 1).subarray(0, 3)],
  ['an event without anything', frame(KINDS.EMIT, 1)],
  ['an event that ends early', frame(KINDS.EMIT, 1, event(TAGS.JSON, '[1]').subarray(0, -1))],
  ['an event that goes on', frame(KINDS.EMIT, 1, new Uint8Array([...event(TAGS.JSON, '[]'), 0]))],
  ['neither yes nor no', frame(KINDS.EMIT, 1, event(TAGS.JSON, '[]').fill(7, 0, 1))],
  ['a name that is no UTF-8', frame(KINDS.SUBSCRIBE, 1, new Uint8Array([1, 0, 0, 0, 0xff]))],
  ['a name that is too long for the frame', frame(KINDS.SUBSCRIBE, 1, new Uint8Array(4).fill(255))],
  ['something of a memory', frame(KINDS.GET, 1, new Writer().u16(0).finish())],
  ['an answer', frame(KINDS.ANSWER, 1, new Uint8Array(1))],
  ['a push', frame(KINDS.EVENTS, 0, new Writer().u32(0).u32(0).finish())],
  ['a second hello', hello],
]

test('who sends what makes no sense is alone with it', limit, async (t) => {
  const { url, open, station } = await setting(t)
  const emitter = open()
  const peer = await station()
  await peer.ask('on', 'x')
  await peer.ask('ready')
  const good = await connect(t, url)
  for (const [what, bytes] of malformed) {
    const socket = await connect(t, url)
    socket.send(bytes)
    const [code] = await once(socket, 'close')
    assert.equal(code, CLOSE.MALFORMED, what)
  }
  good.send(frame(KINDS.EMIT, 5, event(TAGS.JSON, '["good"]')))
  const [answer] = await once(good, 'message')
  assert.deepEqual([...answer.subarray(5)], [0, 1, 0, 0, 0])
  assert.deepEqual(await peer.ask('heard', 1), [['good']])
  assert.equal(await emitter.emitAsync('x'), 1)
})

/** @type {[string, number, import('../../lib/link/frames.js').Data][]} */
const nonsense = [
  ['no JSON', TAGS.JSON, '[1'],
  ['several', TAGS.JSON, '[1],[2]'],
  ['no list', TAGS.JSON, '{}'],
  ['a number', TAGS.NUMBER, 5],
  ['nothing', TAGS.UNDEFINED, undefined],
  ['no serialized value', TAGS.STRUCTURED, new Uint8Array([1, 2, 3])],
  ['bytes', TAGS.BYTES, new Uint8Array(3)],
]

test('arguments that are none are heard by nobody', limit, async (t) => {
  const { url, open, station } = await setting(t)
  const emitter = open()
  const peer = await station()
  await peer.ask('ready')
  await peer.ask('on', 'x')
  while ((await emitter.emitAsync('x')) === 0);
  await peer.ask('heard', 1)
  /** @type {unknown[][]} */
  const heard = []
  const done = new Promise((resolve) => {
    emitter.on('x', (...args) => {
      heard.push(args)
      if (args[0] === 'last') resolve(undefined)
    })
  })
  const socket = await connect(t, url)
  for (const [, tag, data] of nonsense) socket.send(frame(KINDS.EMIT, 0, event(tag, data)))
  socket.send(frame(KINDS.EMIT, 0, event(TAGS.JSON, '["last"]')))
  await done
  assert.deepEqual(heard, [['last']])
  assert.deepEqual(await peer.ask('heard', 1), [['last']])
})

/** Serves a URL, answers HELLOs, and leaves the rest to `act`. */
async function server(t, url, act) {
  const { port, hostname } = new URL(url)
  const wss = new WebSocket.Server({ host: hostname, port: Number(port) })
  t.after(() => {
    for (const socket of wss.clients) socket.terminate()
    wss.close()
  })
  await once(wss, 'listening')
  let connections = 0
  wss.on('connection', (socket) => {
    const number = connections++
    socket.on('message', (bytes) => {
      const { kind, id } = split(/** @type {Buffer} */ (bytes))
      const body = new Writer().u8(0).str('{}').finish()
      if (kind === KINDS.HELLO) socket.send(frame(KINDS.ANSWER, id, body))
      act(socket, number, kind, id)
    })
  })
}

/** @type {[string, Uint8Array][]} */
const pushes = [
  ['no number', new Uint8Array(2)],
  ['fewer events than it says', new Writer().u32(2).str('x').value(TAGS.JSON, '[]').finish()],
  ['without the number of those dropped', new Writer().u32(0).finish()],
  ['more than events', new Writer().u32(0).u32(0).u8(1).finish()],
  ['a tag that is none', new Writer().u32(1).str('x').value(99, new Uint8Array(3)).u32(0).finish()],
]

for (const [what, body] of pushes) {
  test(`events that make no sense end the connection: ${what}`, limit, async (t) => {
    const { url, open } = await setting(t)
    await server(t, url, (socket, number, kind) => {
      const good = new Writer().u32(1).str('x').value(TAGS.JSON, '["good"]').u32(7).finish()
      if (kind === KINDS.SUBSCRIBE) socket.send(frame(KINDS.EVENTS, 0, number === 0 ? body : good))
    })
    const emitter = open({ host: 'never' })
    // It is subscribed again on the next connection, which goes well.
    const heard = await new Promise((resolve) => {
      emitter.on('x', (arg) => arg === 'good' && resolve(arg))
    })
    assert.equal(heard, 'good')
  })
}

test('an answer that makes no sense ends the connection', limit, async (t) => {
  const { url, open } = await setting(t)
  const sensible = '{"emitted":1,"delivered":2,"dropped":3,"waiting":4,"__proto__":{"a":1}}'
  await server(t, url, (socket, number, kind, id) => {
    if (kind === KINDS.EMIT) socket.send(frame(KINDS.ANSWER, id, new Uint8Array(3)))
    const stats = ['[', '{}', sensible][number - 1]
    const body = new Writer()
      .u8(0)
      .str(stats ?? '')
      .finish()
    if (kind === KINDS.STATS) socket.send(frame(KINDS.ANSWER, id, body))
  })
  const emitter = open({ host: 'never' })
  await assert.rejects(emitter.emitAsync('x'), { code: 'ERR_NC_CONNECT' })
  await assert.rejects(emitter.stats(), { code: 'ERR_NC_CONNECT' })
  await assert.rejects(emitter.stats(), { code: 'ERR_NC_CONNECT' })
  assert.deepEqual(await emitter.stats(), {
    emitted: 1,
    delivered: 2,
    dropped: 3,
    waiting: 4,
    missed: 0,
  })
})
