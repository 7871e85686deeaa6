'use strict'

const { test } = require('node:test')
const assert = require('node:assert/strict')
const net = require('node:net')
const { once } = require('node:events')
const WebSocket = require('ws')
const native = require('../../lib/core/native.js')
const { hosts, frames } = require('../../lib/link')
const { greet } = require('./support/greeting')
const { Memory, put } = require('./support/memory')

const { KINDS, TAGS, SUBPROTOCOL, PATH, Reader, Writer, frame, split } = frames
const limit = { timeout: 60_000 }

/** A machine on a free port, and a connection that shows that it goes on. */
function listening(t, options) {
  const machine = hosts.listen('http://127.0.0.1:0', options)
  t.after(() => machine.release())
  return machine
}

function connect(machine, { role = 'data', name = '', path, protocols = SUBPROTOCOL, ...options }) {
  const url = `ws://127.0.0.1:${machine.port}${path ?? `${PATH}${role}/${name}`}`
  return new WebSocket(url, protocols, options)
}

/** The status that a request is refused with, or 101. */
function status(machine, options) {
  return new Promise((resolve) => {
    const socket = connect(machine, options)
    socket.on('error', () => {})
    socket.on('unexpected-response', (_request, response) => {
      resolve(response.statusCode)
      response.destroy()
    })
    socket.on('open', () => {
      resolve(101)
      socket.terminate()
    })
  })
}

/** A connection that was let in. */
async function admitted(machine, options = {}) {
  const socket = connect(machine, options)
  await once(socket, 'open')
  assert.equal((await greet(socket))[0], 0)
  return socket
}

const closed = async (socket) => (await once(socket, 'close'))[0]

test('only the right path, subprotocol and origin become a connection', limit, async (t) => {
  const open = listening(t)
  const guarded = listening(t, { token: 'secret', allowedOrigins: ['https://a.example'] })
  const page = { role: 'worker', origin: 'https://a.example' }
  for (const [machine, options, expected] of [
    [open, {}, 101],
    [open, { name: 'a%2Fb' }, 101],
    [open, { path: '/' }, 404],
    [open, { path: '/socketcluster/' }, 404],
    [open, { path: `${PATH}data` }, 404],
    [open, { path: `${PATH}data/a/b` }, 404],
    [open, { path: `${PATH}data/?x=1` }, 404],
    [open, { path: `${PATH}shell/` }, 404],
    [open, { protocols: 'es-networkcluster.v2' }, 400],
    [open, { protocols: [] }, 400],
    [open, { origin: 'null' }, 403],
    [open, { origin: 'http://localhost' }, 403],
    [open, page, 403],
    [guarded, page, 101],
    [guarded, { ...page, role: 'data' }, 403],
    [guarded, { ...page, origin: 'https://b.example' }, 403],
    [guarded, { ...page, origin: 'https://a.example.b.example' }, 403],
  ]) {
    assert.equal(await status(machine, options), expected, JSON.stringify(options))
  }
})

test('a client with a wrong token rejects for good', limit, async (t) => {
  const machine = listening(t, { token: 'secret' })
  const url = `http://127.0.0.1:${machine.port}/`
  const right = hosts.join(url, { token: 'secret' })
  assert.ok(right.local)
  right.close()
  assert.throws(() => hosts.join(url, { token: 'wrong' }), { code: 'ERR_NC_CONNECT' })
})

test('what comes first must be a HELLO, and soon', limit, async (t) => {
  const machine = listening(t)
  const first = async (data) => {
    const socket = connect(machine, {})
    await once(socket, 'open')
    if (data !== undefined) socket.send(data)
    return closed(socket)
  }
  const late = Date.now()
  const silent = first().then((code) => [code, Date.now() - late])
  assert.equal(await first(frame(KINDS.GET, 1, Uint8Array.of(0, 0))), 4402)
  assert.equal(await first('text'), 4402)
  assert.equal(await first(Buffer.alloc(0)), 4402)
  assert.equal(await first(frame(KINDS.HELLO, 1, new Writer().str('{').finish())), 4402)
  const [code, after] = await silent
  assert.equal(code, 4402)
  assert.ok(after > 4500 && after < 20_000, String(after))
})

test('a first frame of more than 16 KiB is refused before it has come', limit, async (t) => {
  const machine = listening(t)
  const socket = net.connect(machine.port, '127.0.0.1')
  socket.write(
    `GET ${PATH}data/ HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\n` +
      `Sec-WebSocket-Protocol: ${SUBPROTOCOL}\r\n\r\n`,
  )
  await once(socket, 'data')
  // The header of a frame of 16 KiB and a byte; not one of its bytes.
  socket.write(Buffer.from([0x82, 0xfe, 0x40, 0x01, 0, 0, 0, 0]))
  socket.on('error', () => {})
  await once(socket, 'close')
})

test('half a request is not waited for', limit, async (t) => {
  const machine = listening(t)
  const socket = net.connect(machine.port, '127.0.0.1')
  socket.write(`GET ${PATH}data/ HTTP/1.1\r\nHost: a\r\n`)
  socket.on('error', () => {})
  socket.resume()
  await once(socket, 'close')
})

test('garbage ends only the connection that it comes from', limit, async (t) => {
  const machine = listening(t)
  const good = await admitted(machine)
  const ask = async () => {
    good.send(frame(KINDS.INCREMENT, 9, new Writer().str('n').f64(1).finish()))
    const [answer] = await once(good, 'message')
    return new Reader(split(answer).body.subarray(1)).f64()
  }
  let count = 0
  for (const garbage of [
    Buffer.alloc(0),
    Buffer.from([1, 2, 3]),
    frame(0x7f, 1),
    frame(KINDS.HELLO, 1, new Writer().str('{}').finish()),
    frame(KINDS.GET, 1, new Writer().u16(65535).u32(0xffffffff).finish()),
    frame(KINDS.SCAN, 1, new Writer().u8(0).u8(2).str('').str('').finish()),
    frame(KINDS.LOCK, 1, new Writer().str('k').f64(1).u8(1).u8(1).finish()),
    frame(KINDS.EMIT, 1, new Writer().u8(0).str('e').value(TAGS.TRUE, undefined).finish()),
    frame(KINDS.ANSWER, 1, Uint8Array.of(0)),
    frame(KINDS.CONTROL, 0, Uint8Array.of(0xff)),
    'text',
  ]) {
    const bad = await admitted(machine)
    bad.send(garbage)
    assert.equal(await closed(bad), 4403)
    assert.equal(await ask(), (count += 1))
  }
  for (const [kind, body] of [
    [KINDS.COMMIT, Uint8Array.of(1)],
    [KINDS.GET, new Writer().u16(1).str('').finish()],
    [KINDS.SCAN, new Writer().u8(64).u8(0).str('').str('').finish()],
    [KINDS.LOCK, new Writer().str('k').f64(NaN).u8(0).finish()],
  ]) {
    // A frame that asks for what cannot be done is answered.
    good.send(frame(kind, 5, body))
    const [answer] = await once(good, 'message')
    assert.equal(split(answer).body[0], 1)
  }
  good.terminate()
})

test('a frame of more than 256 MiB ends its connection before it has come', limit, async (t) => {
  const machine = listening(t)
  const bad = await admitted(machine)
  // The header of a frame of 1 TiB: the sender's library would not write it.
  bad._socket.write(Buffer.from([0x82, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]))
  assert.equal(await closed(bad), 1009)
})

test('who does not read is not read from, and others go on', limit, async (t) => {
  const machine = listening(t)
  const slow = await admitted(machine)
  const big = new Writer().value(TAGS.BYTES, new Uint8Array(8 * 1024 * 1024)).finish()
  const body = new Writer().u16(0).u16(1).str('big').u8(1).f64(0).bytes(big).finish()
  slow.send(frame(KINDS.COMMIT, 1, body))
  await once(slow, 'message')
  slow._socket.pause()
  const get = frame(KINDS.GET, 2, new Writer().u16(1).str('big').finish())
  const before = process.memoryUsage.rss()
  // Answers of 4 GiB, if they were made.
  for (let i = 0; i < 512; i++) slow.send(get)
  const other = await admitted(machine)
  for (let i = 0; i < 100; i++) {
    other.send(frame(KINDS.COMMIT, 3, put('x', i)))
    await once(other, 'message')
  }
  assert.ok(process.memoryUsage.rss() - before < 200 * 1024 * 1024)
  other.terminate()
  slow.terminate()
})

test('functions are not taken without a token', limit, async (t) => {
  const machine = listening(t)
  const socket = await admitted(machine)
  const body = new Writer().str('k').str('{}').value(TAGS.JSON, '[]').finish()
  socket.send(frame(KINDS.RUN_ON_KEY, 4, body))
  const [answer] = await once(socket, 'message')
  const reader = new Reader(split(answer).body)
  assert.equal(reader.u8(), 1)
  assert.equal(reader.str(), 'ERR_NC_CODE_REFUSED')
  socket.terminate()
})

test('a machine that is closed says so', limit, async () => {
  const machine = hosts.listen('http://127.0.0.1:0')
  const socket = await admitted(machine)
  const end = closed(socket)
  machine.release()
  assert.equal(await end, 1001)
})

test('a connection ends also with a machine that is closed while it is made', limit, async (t) => {
  // Connections do not.
  const keepsAlive = setInterval(() => {}, 1000)
  t.after(() => clearInterval(keepsAlive))
  // How long it is made before, in ms: found by trying, so that about every other one is ready.
  let head = 0.5
  for (let round = 0; round < 500; round++) {
    const machine = native.NativeMachine.listen('127.0.0.1', 0, {}, () => {})
    let open = false
    await new Promise((resolve) => {
      const link = new native.NativeLink(
        '127.0.0.1',
        machine.port,
        `${PATH}data/m`,
        '{}',
        null,
        () => {
          const said = link.drain().map(String)
          open ||= said.some((it) => it.startsWith('open'))
          if (said.some((it) => it.startsWith('closed'))) resolve()
        },
      )
      const end = performance.now() + Math.random() * head
      while (performance.now() < end);
      machine.close()
    })
    head *= open ? 0.98 : 1.02
  }
})

test('an address of another process cannot be listened on', limit, async () => {
  const server = net.createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const url = `http://127.0.0.1:${server.address().port}/`
  assert.throws(() => hosts.listen(url), { code: 'ERR_NC_CONNECT', message: /another process/ })
  server.close()
})

test('a joined memory over the link of the same process', limit, async (t) => {
  const machine = listening(t)
  const joined = hosts.join(`http://127.0.0.1:${machine.port}/m`)
  assert.equal(joined.machine, machine)
  const memory = new Memory(joined)
  await memory.set('x', 4)
  const socket = await admitted(machine, { name: 'm' })
  socket.send(frame(KINDS.GET, 2, new Writer().u16(1).str('x').finish()))
  const [answer] = await once(socket, 'message')
  const reader = new Reader(split(answer).body.subarray(1))
  reader.version()
  reader.f64()
  assert.equal(reader.value(), 4)
  socket.terminate()
  joined.close()
})
