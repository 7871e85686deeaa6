'use strict'

const assert = require('node:assert/strict')
const http = require('node:http')
const net = require('node:net')
const { test } = require('node:test')
const WebSocket = require('ws')
const { isOurs, once, oursTest, subject, within } = require('../support')
const { RawClient, eventually, quiet, startListening } = require('../support')

const TIMEOUT = 30000

const stopped = (httpServer) => new Promise((resolve) => httpServer.close(resolve))

/** A test which needs one server, started by `listen`. */
function listenTest(name, ...rest) {
  const body = rest.pop()
  const [options = {}, define = test] = rest
  define(name, { timeout: TIMEOUT }, async () => {
    const running = await startListening(options)
    try {
      await body(running)
    } finally {
      await running.stop()
    }
  })
}

/** The same, for what only this package promises. */
const ours = (name, ...rest) => {
  const body = rest.pop()
  listenTest(name, rest[0] || {}, oursTest, body)
}

const links = ({ server }) => server._native.stats().links

/** All that a connection gets in answer to these bytes, written one after another. */
function exchange(port, parts, { end = false, pause = 0 } = {}) {
  return new Promise((resolve, reject) => {
    const chunks = []
    const socket = net.connect(port, '127.0.0.1', async () => {
      socket.setNoDelay(true)
      for (const part of parts) {
        socket.write(part)
        if (pause) await quiet(pause)
      }
      if (end) socket.end()
    })
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('error', reject)
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')))
  })
}

function request(port, { agent = false, body, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const outgoing = http.request({ host: '127.0.0.1', port, agent, ...options }, (response) => {
      let text = ''
      response.on('data', (part) => (text += part))
      response.on('end', () => resolve({ status: response.statusCode, text }))
    })
    outgoing.on('upgrade', (_response, socket) => {
      socket.destroy()
      resolve({ status: 101 })
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

/** Has the http server answer with what it was asked, instead of 501. */
function echo(httpServer) {
  httpServer.removeAllListeners('request')
  httpServer.on('request', async (incoming, response) => {
    let size = 0
    for await (const part of incoming) size += part.length
    response.end(`${incoming.method} ${incoming.url} ${size}`)
  })
}

const upgradeHead = (port, more = {}) => new RawClient({ port, ...more }).upgradeRequest()

// ---- the http server ----

test('listen calls back and emits listening, and knows its address', async () => {
  let called = 0
  const server = subject.listen(0, {}, () => called++)
  const { httpServer } = server
  assert.ok(httpServer instanceof http.Server)
  assert.equal(server.options.httpServer, httpServer)
  await once(httpServer, 'listening')
  assert.equal(called, 1)
  assert.equal(httpServer.listening, true)
  const { address, family, port } = httpServer.address()
  assert.ok(port > 0)
  assert.match(`${address} ${family}`, /^(:: IPv6|0\.0\.0\.0 IPv4)$/)
  await server.close()
  await stopped(httpServer)
  assert.equal(httpServer.listening, false)
  assert.equal(httpServer.address(), null)
})

test('listen takes its callback in place of the options', async () => {
  let server
  await new Promise((resolve) => {
    server = subject.listen(0, resolve)
  })
  await server.close()
  await stopped(server.httpServer)
})

test('a port in use is an error of the http server and of the server', async () => {
  const first = await startListening()
  const server = subject.listen(first.port, {})
  const ofServer = once(server, 'error')
  const error = await once(server.httpServer, 'error')
  assert.equal(error.code, 'EADDRINUSE')
  assert.equal(error.syscall, 'listen')
  assert.equal(error.port, first.port)
  assert.match(error.message, /^listen EADDRINUSE: address already in use .*:\d+$/)
  assert.equal((await ofServer).error, error)
  assert.equal(server.httpServer.listening, false)
  await server.close()
  await first.stop()
})

listenTest('listening twice throws', async ({ httpServer }) => {
  assert.throws(() => httpServer.listen(0), { code: 'ERR_SERVER_ALREADY_LISTEN' })
})

listenTest('closing what does not listen is an error', async ({ httpServer }) => {
  await stopped(httpServer)
  const error = await stopped(httpServer)
  assert.equal(error.code, 'ERR_SERVER_NOT_RUNNING')
})

listenTest('the port is free as soon as the http server is closed', async (running) => {
  const { httpServer, port } = running
  await running.assertServes()
  for (let n = 0; n < 20; n++) {
    await stopped(httpServer)
    await new Promise((resolve) => httpServer.listen(port, resolve))
  }
  await running.assertServes()
})

listenTest('other forms of listen are those of Node.js', async (running) => {
  const { httpServer } = running
  await stopped(httpServer)
  await new Promise((resolve) => httpServer.listen({ port: 0, host: '127.0.0.1' }, resolve))
  assert.equal(httpServer.address().address, '127.0.0.1')
  running.port = httpServer.address().port
  await running.assertServes()
})

listenTest('after close of the server the http server goes on', async (running) => {
  await running.close()
  assert.equal((await request(running.port)).status, 501)
  assert.equal(running.httpServer.listening, true)
})

// ---- clients ----

listenTest('clients are served', async (running) => {
  running.procedure('echo', (incoming) => incoming.end(incoming.data))
  const { client, socket } = await running.pair()
  assert.equal(await client.invoke('echo', 1), 1)
  assert.match(socket.id, /^[\w-]{20}$/)
  assert.match(socket.remoteAddress, /127\.0\.0\.1$/)
  assert.equal(socket.remotePort > 0, true)
  assert.match(socket.request.url, /^\/socketcluster\/$/)
  assert.equal(socket.request.headers.upgrade, 'websocket')
  await running.assertServes()
})

listenTest('over IPv6 too', async (running) => {
  if (running.httpServer.address().family !== 'IPv6') return
  const { socket } = await running.rawPair({ host: '::1' })
  assert.equal(socket.remoteAddress, '::1')
  assert.equal(socket.remoteFamily, 'IPv6')
})

listenTest('a WebSocket of npm ws is served', async (running) => {
  const client = new WebSocket(`ws://127.0.0.1:${running.port}/socketcluster/?a=b`, ['one', 'two'])
  await once(client, 'open')
  assert.equal(client.protocol, 'one')
  const closed = once(client, 'close')
  client.close(1000)
  assert.equal(await closed, 1000)
})

listenTest(
  'messages are compressed where that is on',
  { perMessageDeflate: true },
  async (running) => {
    const url = `ws://127.0.0.1:${running.port}/socketcluster/`
    const client = new WebSocket(url, { perMessageDeflate: true })
    await once(client, 'open')
    assert.match(client.extensions, /permessage-deflate/)
    client.terminate()
  },
)

listenTest('frames may come with the head', async (running) => {
  const frames = require('../support/frames').encodeFrame(
    1,
    JSON.stringify({ event: '#handshake', data: {}, cid: 1 }),
  )
  const socket = net.connect(running.port, '127.0.0.1')
  socket.write(Buffer.concat([Buffer.from(upgradeHead(running.port)), frames]))
  let text = ''
  socket.on('data', (chunk) => (text += chunk.toString('latin1')))
  await eventually(() => text.includes('"rid":1'), 'answer')
  socket.destroy()
})

listenTest('a head may come byte by byte', async (running) => {
  const client = await new RawClient({ port: running.port }).connectTcp()
  for (const byte of client.upgradeRequest()) {
    client.write(byte)
    await new Promise(setImmediate)
  }
  await client.until(() => client.status, 'response')
  assert.equal(client.accepted, true)
  await client.handshake()
  client.destroy()
})

ours(
  'without a listener JavaScript has nothing of a connection',
  { watch: false },
  async (running) => {
    const client = await running.raw()
    assert.equal(running.server._native.connections.size, 0)
    assert.equal(running.server.clientsCount, 1)
    const socket = running.server.clients[client.id]
    assert.equal(socket.request.url, '/socketcluster/')
    assert.equal(socket.remotePort, client.socket.localPort)
    assert.equal(socket.request.socket.localPort, running.port)
    assert.equal(socket.state, 'open')
    const received = socket.receiver('x').once(5000)
    client.transmit('x', 1)
    assert.equal(await received, 1)
  },
)

ours(
  'whoever starts to listen while clients come sees each of them once',
  { watch: false },
  async (running) => {
    const seen = new Set()
    const clients = []
    for (let n = 0; n < 60; n++) {
      clients.push(running.raw())
      if (n === 30) await clients[0]
      if (n === 30) running.onConnection((socket) => seen.add(socket.id))
    }
    const ids = (await Promise.all(clients)).map(({ id }) => id)
    await eventually(() => Object.keys(running.server.clients).length === 60, '60 sockets')
    assert.deepEqual(Object.keys(running.server.clients).sort(), ids.sort())
    for (const client of await Promise.all(clients.slice(31))) assert.ok(seen.has(client.id))
  },
)

test('10,000 clients come and go', { timeout: 120000 }, async () => {
  const running = await startListening({ watch: false })
  const head = upgradeHead(running.port)
  const one = () =>
    new Promise((resolve, reject) => {
      const socket = net.connect(running.port, '127.0.0.1', () => socket.write(head))
      socket.on('error', reject)
      socket.once('data', () => socket.destroy())
      socket.on('close', resolve)
    })
  let left = 10000
  const worker = async () => {
    while (left-- > 0) await one()
  }
  await Promise.all(Array.from({ length: 100 }, worker))
  if (isOurs) {
    await eventually(() => links(running) === 0, 'no connection', 20000)
    assert.equal(running.server._native.connections.size, 0)
  }
  await running.assertServes()
  await running.stop()
})

ours(
  'figures by HTTP cost no connection anything',
  { metricsPath: '/m', watch: false },
  async (running) => {
    await running.raw()
    assert.equal(running.server._native.connections.size, 0)
    assert.equal((await request(running.port, { path: '/m' })).status, 200)
  },
)

// ---- what JavaScript decides ----

listenTest('handshake middleware sees the request', async (running) => {
  const seen = []
  running.server.setMiddleware(running.server.MIDDLEWARE_HANDSHAKE, async (stream) => {
    for await (const action of stream) {
      if (action.type === action.HANDSHAKE_WS) seen.push(action.request.url)
      if (action.request.url.includes('bad')) action.block(new Error('no'))
      else action.allow()
    }
  })
  assert.equal((await running.open({ path: '/socketcluster/?bad' })).status, 401)
  await running.raw({ path: '/socketcluster/?good' })
  assert.deepEqual(seen, ['/socketcluster/?bad', '/socketcluster/?good'])
  running.server.removeMiddleware(running.server.MIDDLEWARE_HANDSHAKE)
  await running.raw({ path: '/socketcluster/?bad' })
})

ours('verifyHandshake and generateId may be assigned', async (running) => {
  const { server } = running
  server.generateId = () => 'my-own-id'
  assert.equal((await running.raw()).id, 'my-own-id')
  server.verifyHandshake = (info, callback) => callback(false, 402, info.req.url)
  const refused = await running.open()
  assert.equal(refused.status, 402)
  assert.equal(refused.body, '/socketcluster/')
})

listenTest('handleProtocols chooses', { handleProtocols: () => 'b' }, async (running) => {
  const client = await running.open({ headers: { 'Sec-WebSocket-Protocol': 'a, b' } })
  assert.equal(client.header('sec-websocket-protocol'), 'b')
})

listenTest('origins are checked', { origins: 'good.example:*' }, async (running) => {
  const status = async (Origin) => (await running.open({ headers: { Origin } })).status
  assert.equal(await status('http://good.example:8000'), 101)
  assert.equal(await status('http://GOOD.example'), 101)
  assert.equal(await status('http://evil.example'), 403)
  assert.equal(await status(null), 403)
  await running.warnings.count(2)
  running.server.origins = 'evil.example:*'
  assert.equal(await status('http://evil.example'), 101)
  assert.equal(await status('http://good.example'), 403)
})

listenTest('another path is turned down with 400', async (running) => {
  const client = await running.open({ path: '/other/' })
  assert.equal(client.status, 400)
  await client.untilEnded()
})

ours('listeners of others for upgrades get what is theirs', async (running) => {
  const { httpServer } = running
  httpServer.on('upgrade', (incoming, socket) => {
    if (incoming.url === '/mine') socket.end('HTTP/1.1 418 Mine\r\n\r\n')
  })
  assert.equal((await running.open({ path: '/mine' })).status, 418)
  await running.raw()
})

ours('several servers share the http server of listen', async (running) => {
  const other = subject.attach(running.httpServer, { path: '/other/' })
  const client = await running.raw({ path: '/other/' })
  await running.raw()
  assert.equal(other.clientsCount, 1)
  await other.close()
  await client.untilEnded()
  await running.raw()
})

listenTest('requests that break the WebSocket protocol are turned down', async (running) => {
  const status = async (headers) => (await running.open({ headers })).status
  assert.equal(await status({ 'Sec-WebSocket-Key': 'short' }), 400)
  assert.equal(await status({ 'Sec-WebSocket-Version': '12' }), 400)
  assert.equal((await running.open({ method: 'POST' })).status, 405)
})

// ---- all other requests ----

listenTest('plain requests are answered with 501', async ({ port }) => {
  const { status, text } = await request(port)
  assert.equal(status, 501)
  assert.equal(text, 'Not Implemented')
})

listenTest('connections are kept alive for further requests', async ({ port, httpServer }) => {
  echo(httpServer)
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  const ports = new Set()
  httpServer.on('request', (incoming) => ports.add(incoming.socket.remotePort))
  for (let n = 0; n < 5; n++) {
    const { text } = await request(port, { agent, path: `/${n}` })
    assert.equal(text, `GET /${n} 0`)
  }
  assert.equal(ports.size, 1)
  agent.destroy()
})

listenTest('requests may be pipelined', async ({ port, httpServer }) => {
  echo(httpServer)
  const get = (path, more = '') => `GET ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n`
  const answer = await exchange(port, [
    get('/a') + get('/b'),
    get('/c') + get('/d', 'Connection: close\r\n'),
  ])
  assert.deepEqual(answer.match(/GET \/\w 0/g), ['GET /a 0', 'GET /b 0', 'GET /c 0', 'GET /d 0'])
})

listenTest('bodies arrive whole', async ({ port, httpServer }) => {
  echo(httpServer)
  const body = Buffer.alloc(3_000_000, 'x')
  const long = await request(port, { method: 'POST', path: '/p', body })
  assert.equal(long.text, 'POST /p 3000000')
  const headers = { 'Transfer-Encoding': 'chunked' }
  const chunked = await request(port, { method: 'PUT', path: '/p', headers, body })
  assert.equal(chunked.text, 'PUT /p 3000000')
})

listenTest('an upgrade may follow a request on the same connection', async (running) => {
  const client = await new RawClient({ port: running.port }).connectTcp()
  client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await client.until(() => client.status === 501 && client.body.includes('0\r\n\r\n'), 'answer')
  client.status = 0
  client.write(client.upgradeRequest())
  await client.until(() => client.status === 101, 'upgrade')
  await client.handshake()
  client.destroy()
})

listenTest('HTTP/1.0 is answered', async ({ port }) => {
  const answer = await exchange(port, ['GET / HTTP/1.0\r\n\r\n'])
  assert.match(answer, /^HTTP\/1\.1 501 /)
  assert.match(answer, /Not Implemented$/)
})

listenTest('what is no HTTP is answered with 400', async ({ port, httpServer }) => {
  for (const bytes of [
    'hello\r\n',
    '\x16\x03\x01\x02',
    'GET\r\n\r\n',
    'GET / HTTP/1.1\r\nNo\r\n\r\n',
  ]) {
    const failed = once(httpServer, 'clientError')
    const handler = (_error, socket) => socket.end('HTTP/1.1 400 Mine\r\n\r\n')
    httpServer.once('clientError', handler)
    assert.match(await exchange(port, [bytes]), /^HTTP\/1\.1 400 Mine/)
    await failed
    assert.match(await exchange(port, [bytes]), /^HTTP\/1\.1 400 Bad Request/)
  }
})

listenTest('half a request is answered with 400 when the client ends', async ({ port }) => {
  assert.match(await exchange(port, ['GET / HT'], { end: true }), /^HTTP\/1\.1 400 /)
  assert.equal(await exchange(port, [], { end: true }), '')
})

listenTest('a head of more than 16 KiB is answered with 431', async ({ port }) => {
  const long = `X: ${'x'.repeat(20_000)}\r\n`
  const head = upgradeHead(port).replace('\r\n\r\n', `\r\n${long}\r\n`)
  assert.match(await exchange(port, [head]), /^HTTP\/1\.1 431 /)
})

listenTest('requests know their connection', async ({ port, httpServer }) => {
  httpServer.removeAllListeners('request')
  httpServer.on('request', (incoming, response) => {
    const { remoteAddress, localPort, server } = incoming.socket
    response.end(`${remoteAddress} ${localPort} ${server === httpServer}`)
  })
  assert.match((await request(port)).text, new RegExp(`127\\.0\\.0\\.1 ${port} true$`))
})

listenTest('closing waits for requests under way', async (running) => {
  const { port, httpServer } = running
  httpServer.removeAllListeners('request')
  const asked = new Promise((resolve) => {
    httpServer.once('request', (_incoming, response) => resolve(response))
  })
  const answered = request(port)
  const response = await asked
  assert.equal(httpServer._connections, 1)
  let isClosed = false
  const closed = stopped(httpServer).then(() => (isClosed = true))
  await quiet()
  assert.equal(isClosed, false)
  response.end('done')
  assert.equal((await answered).text, 'done')
  await within(closed, 'end of the http server')
})

listenTest('maxConnections holds for plain requests', async (running) => {
  const { port, httpServer } = running
  httpServer.maxConnections = 1
  const agent = new http.Agent({ keepAlive: true })
  assert.equal((await request(port, { agent })).status, 501)
  const dropped = once(httpServer, 'drop')
  await assert.rejects(request(port))
  await dropped
  agent.destroy()
})

// ---- clients that say nothing ----

ours(
  'who does not send a head in ten seconds is told so and let go',
  { watch: false },
  async (running) => {
    const began = Date.now()
    const sockets = []
    const answers = Array.from(
      { length: 300 },
      (_, n) =>
        new Promise((resolve, reject) => {
          let text = ''
          const socket = net.connect(running.port, '127.0.0.1', () => {
            if (n % 3) socket.write('GET /socketcluster/ HTTP/1.1\r\nX: ')
          })
          sockets.push(socket)
          socket.on('data', (chunk) => (text += chunk))
          socket.on('error', reject)
          socket.on('close', () => resolve(text))
        }),
    )
    const drip = setInterval(
      () => sockets.forEach((socket, n) => n % 3 === 1 && socket.write('x')),
      500,
    )
    const texts = await within(Promise.all(answers), 'end of silent clients', 12000)
    clearInterval(drip)
    assert.ok(Date.now() - began <= 10500, `${Date.now() - began} ms`)
    for (const text of texts) assert.match(text, /^HTTP\/1\.1 408 Request Timeout\r\n/)
    await running.assertServes()
  },
)

ours('closing lets silent clients go', { watch: false }, async (running) => {
  const socket = net.connect(running.port, '127.0.0.1')
  await once(socket, 'connect')
  await running.assertServes()
  const ended = once(socket, 'close')
  await stopped(running.httpServer)
  await ended
})

oursTest('the bridge leaves listening to Node.js', async () => {
  const running = await startListening({ transport: 'bridge' })
  assert.equal(Object.hasOwn(running.httpServer, 'listen'), false)
  await running.assertServes()
  await running.stop()
})
