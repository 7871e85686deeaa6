'use strict'

const assert = require('node:assert/strict')
const http = require('node:http')
const { behaviour, oursTest, once, startServer } = require('../support')

const PATH = '/socketcluster/?room=7&x=%20y'
const HEADERS = {
  Cookie: 'a=b',
  'X-Tenant': 'Acme',
  'x-tenant': 'Other',
  'X-Latin': 'caf\u00e9',
  'X-Empty': '',
}

/** A request without what is not its own: its socket, and the state of its streams. */
function own(request) {
  const { socket, client, _readableState, _events, ...fields } = request
  assert.equal(client, socket)
  return { ...fields, headers: request.headers, distinct: request.headersDistinct }
}

const addresses = ({
  remoteAddress,
  remotePort,
  remoteFamily,
  localAddress,
  localPort,
  localFamily,
}) => ({
  remote: [remoteAddress, remotePort, remoteFamily],
  local: [localAddress, localPort, localFamily],
})

const isText = (socket) => typeof socket._native.request === 'string'

async function requestOf(options) {
  const running = await startServer(options)
  try {
    const { client, socket } = await running.rawPair({ path: PATH, headers: HEADERS })
    const { localPort } = client.socket
    return { localPort, socket, port: running.port, text: isText(socket), request: socket.request }
  } finally {
    await running.stop()
  }
}

/** An http.Server whose upgrade requests somebody else sees too. */
function watched() {
  const httpServer = http.createServer()
  httpServer.on('upgrade', () => {})
  return { httpServer }
}

oursTest('a request made of its text is like the one of Node.js', async () => {
  const made = await requestOf({ transport: 'fd' })
  const kept = await requestOf({ transport: 'fd', ...watched() })
  assert.equal(made.text, true)
  assert.equal(kept.text, false)
  assert.ok(made.request instanceof http.IncomingMessage)
  const portless = ({ request, port }) =>
    JSON.parse(JSON.stringify(own(request)).replaceAll(`:${port}`, ':PORT'))
  assert.deepEqual(portless(made), portless(kept))
  assert.deepEqual(Object.keys(made.request), Object.keys(kept.request))
  assert.equal(made.request.headers['x-tenant'], 'Acme, Other')
  assert.equal(made.request.headers['x-latin'], kept.request.headers['x-latin'])
})

oursTest('origins are checked without the message', async () => {
  const running = await startServer({ transport: 'fd', origins: 'good.example:*' })
  try {
    const status = async (Origin) => (await running.open({ headers: { Origin } })).status
    assert.equal(await status('http://evil.example'), 403)
    assert.equal(await status('null'), 403)
    const { socket } = await running.rawPair({ headers: { Origin: 'http://good.example' } })
    assert.equal(isText(socket), true)
    assert.equal(socket.request.headers.origin, 'http://good.example')
  } finally {
    await running.stop()
  }
})

oursTest('the socket of such a request is ended and knows its addresses', async () => {
  const { localPort, request, port } = await requestOf({ transport: 'fd' })
  const { socket } = request
  assert.equal(request.connection, socket)
  assert.equal(socket.destroyed, true)
  assert.equal(socket.readable, false)
  assert.equal(socket.writable, false)
  assert.equal(socket.encrypted, undefined)
  assert.deepEqual(addresses(socket), {
    remote: ['127.0.0.1', localPort, 'IPv4'],
    local: ['127.0.0.1', port, 'IPv4'],
  })
})

behaviour('the request is one object for as long as its socket', async (running) => {
  const { client, socket } = await running.rawPair({ path: PATH })
  const { remotePort } = socket
  const { request } = socket
  assert.equal(socket.request, request)
  const ended = once(socket, 'end')
  client.destroy()
  await ended
  assert.equal(socket.request, request)
  assert.equal(request.url, PATH)
  assert.equal(socket.remotePort, remotePort)
})

behaviour('request and addresses can be asked for after the end', async (running) => {
  const { client, socket } = await running.rawPair({ path: PATH })
  const ended = once(socket, 'end')
  client.destroy()
  await ended
  await running.untilEmpty()
  assert.match(socket.remoteAddress, /127\.0\.0\.1$/)
  assert.equal(socket.request.url, PATH)
})

const WATCHED = {
  'another listener for upgrades': watched,
  'a listener for connections': () => {
    const httpServer = http.createServer()
    httpServer.on('connection', () => {})
    return { httpServer }
  },
  'an emit of its own': () => {
    const httpServer = http.createServer()
    const { emit } = httpServer
    httpServer.emit = (...args) => emit.apply(httpServer, args)
    return { httpServer }
  },
  'requests of its own class': () => {
    class IncomingMessage extends http.IncomingMessage {}
    return { httpServer: http.createServer({ IncomingMessage }) }
  },
}

for (const [name, options] of Object.entries(WATCHED)) {
  oursTest(`the request stays the original where the http.Server has ${name}`, async () => {
    const { text, request } = await requestOf({ transport: 'fd', ...options() })
    assert.equal(text, false)
    assert.equal(request.url, PATH)
  })
}

behaviour('handshake middleware and the socket see one request', async (running) => {
  const seen = []
  running.server.setMiddleware('handshake', async (stream) => {
    for await (const action of stream) {
      action.request.seen = true
      seen.push(action.request)
      action.allow()
    }
  })
  const { socket } = await running.rawPair()
  assert.ok(seen.every((request) => request === socket.request))
  assert.equal(socket.request.seen, true)
})

behaviour(
  'a connection that nobody looked at has its request later',
  { watch: false },
  async (running) => {
    const client = await running.raw({ path: PATH, headers: HEADERS })
    const socket = running.server.clients[client.id]
    assert.equal(socket.id, client.id)
    assert.equal(socket.request.url, PATH)
    assert.equal(socket.request.headers.cookie, 'a=b')
    assert.match(socket.remoteAddress, /127\.0\.0\.1$/)
    assert.equal(socket.remotePort, client.socket.localPort)
    const ended = once(socket, 'end')
    client.destroy()
    await ended
    await running.untilEmpty()
  },
)

behaviour('a header given twice is read as Node.js merges it', async (running) => {
  const list = { 'Sec-WebSocket-Protocol': 'one', 'sec-websocket-protocol': 'two' }
  const client = await running.open({ headers: list })
  assert.equal(client.status, 101)
  assert.equal(client.header('sec-websocket-protocol'), 'one')
  const repeated = await running.open({ headers: { ...list, 'SEC-WEBSOCKET-PROTOCOL': 'one' } })
  assert.equal(repeated.status, 400)
})

behaviour('the first of the offered protocols is chosen', async (running) => {
  const headers = { 'Sec-WebSocket-Protocol': 'one, two' }
  const client = await running.open({ headers })
  assert.equal(client.header('sec-websocket-protocol'), 'one')
})

behaviour('ids of the app are used', async (running) => {
  let next = 0
  running.server.generateId = () => `id-${++next}`
  assert.equal((await running.raw()).id, 'id-1')
  assert.equal((await running.raw()).id, 'id-2')
})

behaviour('ids have the form of base64id and differ', async (running) => {
  const ids = new Set()
  for (let n = 0; n < 600; n++) ids.add(running.server.generateId())
  assert.equal(ids.size, 600)
  for (const id of ids) assert.match(id, /^[\w-]{20}$/)
})

behaviour('an id that cannot be made costs this connection only', async (running) => {
  const { generateId } = running.server
  running.server.generateId = () => {
    throw new Error('no id')
  }
  const refused = await running.open()
  assert.equal(refused.status, 0)
  await running.errors.until((list) => list.some(({ error }) => error.message === 'no id'))
  running.server.generateId = generateId
  await running.assertServes()
})
