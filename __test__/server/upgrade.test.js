'use strict'

const assert = require('node:assert/strict')
const http = require('node:http')
const { behaviour, eventually, once } = require('../support')

behaviour('the path must match exactly', async (running) => {
  for (const path of ['/', '/socketcluster', '/socketcluster/x', '//socketcluster/']) {
    assert.equal((await running.open({ path })).status, 400, path)
  }
  assert.equal((await running.open({ path: '/socketcluster/?a=1' })).status, 101)
})

behaviour('the request of a socket has url, query and headers', async (running) => {
  const { socket } = await running.rawPair({
    path: '/socketcluster/?room=7&x=%20y',
    headers: { 'X-Tenant': 'Acme', Cookie: 'a=b' },
  })
  assert.equal(socket.request.url, '/socketcluster/?room=7&x=%20y')
  assert.equal(socket.request.headers['x-tenant'], 'Acme')
  assert.equal(socket.request.headers.cookie, 'a=b')
  assert.equal(socket.request.method, 'GET')
})

behaviour(
  'forwardedForAddress is taken from the request',
  () => {
    const httpServer = http.createServer()
    httpServer.on('upgrade', (request) => {
      request.forwardedForAddress = request.headers['x-forwarded-for']
    })
    return { httpServer }
  },
  async (running) => {
    const headers = { 'X-Forwarded-For': '203.0.113.9' }
    const { socket } = await running.rawPair({ headers })
    assert.equal(socket.forwardedForAddress, '203.0.113.9')
    assert.equal(socket.remoteAddress, '127.0.0.1')
    const plain = await running.rawPair()
    assert.equal(plain.socket.forwardedForAddress, undefined)
  },
)

behaviour('origins admits the hosts it lists', { origins: 'good.example:*' }, async (running) => {
  const status = async (Origin) => (await running.open({ headers: { Origin } })).status
  assert.equal(await status('http://good.example'), 101)
  assert.equal(await status('https://good.example:444'), 101)
  assert.equal(await status('http://evil.example'), 403)
  assert.equal(await status('http://good.example.evil.com'), 403)
  assert.equal(await status('http://good.example@evil.com'), 403)
  assert.equal(await status('null'), 403)
  await running.warnings.until((list) =>
    list.some(({ warning }) => /Invalid origin: http:\/\/evil/.test(warning.message)),
  )
})

behaviour('origins can name a port only', { origins: '*:9443' }, async (running) => {
  const status = async (Origin) => (await running.open({ headers: { Origin } })).status
  assert.equal(await status('https://any.example:9443'), 101)
  assert.equal(await status('http://any.example'), 403)
})

behaviour('the first offered subprotocol is chosen by default', async (running) => {
  const client = await running.open({ headers: { 'Sec-WebSocket-Protocol': 'second, first' } })
  assert.equal(client.header('sec-websocket-protocol'), 'second')
})

behaviour(
  'handleProtocols chooses the subprotocol',
  { handleProtocols: (offered) => [...offered].find((name) => name === 'chat') || false },
  async (running) => {
    const client = await running.open({ headers: { 'Sec-WebSocket-Protocol': 'other, chat' } })
    assert.equal(client.header('sec-websocket-protocol'), 'chat')
    const none = await running.open({ headers: { 'Sec-WebSocket-Protocol': 'other' } })
    assert.equal(none.status, 101)
    assert.equal(none.header('sec-websocket-protocol'), undefined)
  },
)

behaviour('requests which are no proper upgrade are refused', async (running) => {
  const status = async (options) => (await running.open(options)).status
  assert.equal(await status({ headers: { 'Sec-WebSocket-Key': null } }), 400)
  assert.equal(await status({ headers: { 'Sec-WebSocket-Key': 'short' } }), 400)
  assert.equal(await status({ headers: { 'Sec-WebSocket-Version': '12' } }), 400)
  assert.equal(await status({ headers: { 'Sec-WebSocket-Version': null } }), 400)
  assert.equal(await status({ headers: { Upgrade: 'h2c' } }), 400)
  assert.equal(await status({ method: 'POST' }), 405)
  assert.equal(running.counts(), 0)
  await running.assertServes()
})

behaviour('frames in the same segment as the upgrade request are not lost', async (running) => {
  const { RawClient, encodeFrame, OPCODE } = require('../support')
  const client = new RawClient({ port: running.port })
  await client.connectTcp()
  const handshake = encodeFrame(OPCODE.TEXT, '{"event":"#handshake","data":{},"cid":1}')
  client.write(Buffer.concat([Buffer.from(client.upgradeRequest()), handshake]))
  assert.equal((await client.response(1)).data.isAuthenticated, false)
  client.destroy()
})

behaviour('handshake is emitted before the client is counted as open', async (running) => {
  const handshake = once(running.server, 'handshake')
  const client = await running.open()
  const { socket } = await handshake
  assert.equal(socket.state, 'connecting')
  assert.equal(socket.exchange, running.server.exchange)
  assert.equal(running.server.pendingClientsCount, 1)
  assert.equal(running.server.pendingClients[socket.id], socket)
  assert.equal(running.server.clientsCount, 0)
  await client.handshake()
  assert.equal(client.id, socket.id)
  await eventually(() => running.server.clientsCount === 1, 'open client')
  assert.equal(running.server.pendingClientsCount, 0)
  assert.equal(running.server.clients[socket.id], socket)
})
