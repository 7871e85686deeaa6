'use strict'

const assert = require('node:assert/strict')
const http = require('node:http')
const { test } = require('node:test')
const AGSimpleBroker = require('ag-simple-broker')
const { behaviour, once, startServer, subject } = require('../support')

test('ready comes after the statement which made the server', async () => {
  const httpServer = http.createServer()
  const server = subject.attach(httpServer, {})
  assert.equal(server.isReady, false)
  assert.deepEqual(await once(server, 'ready'), {})
  assert.equal(server.isReady, true)
  await server.close()
  assert.equal(server.isReady, false)
})

test('a broker which is ready makes the server ready at once', async () => {
  const brokerEngine = new AGSimpleBroker()
  await once(brokerEngine, 'ready')
  const server = subject.attach(http.createServer(), { brokerEngine })
  assert.equal(server.isReady, true)
  await server.close()
})

behaviour('closing twice rejects', async (running) => {
  await running.close()
  await assert.rejects(running.server.close(), { message: 'The server is not running' })
})

behaviour('closing twice at once is closing once', async (running) => {
  const { server } = running
  await Promise.all([running.close(), server.close()])
  await assert.rejects(server.close(), { message: 'The server is not running' })
})

behaviour('a second close can end what close(true) left open', async (running) => {
  const client = await running.raw()
  await running.close(true)
  await assert.rejects(running.server.close())
  await client.untilEnded()
})

behaviour('close ends the connections of open clients', async (running) => {
  const { client, socket } = await running.rawPair()
  const closure = once(running.server, 'closure')
  await running.close()
  await client.untilEnded()
  assert.equal((await closure).socket, socket)
  assert.equal(socket.state, 'closed')
  await running.untilEmpty()
})

behaviour('close(true) leaves open clients connected', async (running) => {
  const { client, socket } = await running.rawPair()
  await running.close(true)
  const received = socket.receiver('later').once(5000)
  client.transmit('later', 1)
  assert.equal(await received, 1)
  const closed = once(socket, 'close')
  client.sendClose(1000)
  await closed
})

behaviour('close leaves the http server listening', async (running) => {
  await running.close()
  assert.equal(running.httpServer.listening, true)
})

behaviour('after close no further socket is accepted', async (running) => {
  const client = await running.raw()
  await running.close()
  await client.untilEnded()
  const status = await new Promise((resolve) => {
    const request = http.get({
      host: '127.0.0.1',
      port: running.port,
      path: '/socketcluster/',
      headers: { Upgrade: 'websocket', Connection: 'Upgrade' },
      agent: false,
    })
    request.on('response', (response) => resolve(response.statusCode))
    request.on('upgrade', () => resolve(101))
    request.on('error', () => resolve(0))
    request.setTimeout(300, () => request.destroy())
  })
  assert.notEqual(status, 101)
})

test('the same port can be served again right after close', async () => {
  const first = await startServer()
  const { port } = first
  await first.assertServes()
  await first.stop()
  const httpServer = http.createServer()
  await new Promise((resolve) => httpServer.listen(port, '127.0.0.1', resolve))
  const second = await startServer({ httpServer })
  await second.assertServes()
  await second.stop()
})

behaviour('errors of the http server are errors of the server', async (running) => {
  const error = new Error('planted')
  const event = once(running.server, 'error')
  running.httpServer.emit('error', error)
  assert.equal((await event).error, error)
})

behaviour('generateId gives 20 characters and never the same twice', async ({ server }) => {
  const ids = new Set()
  for (let n = 0; n < 1000; n++) ids.add(server.generateId())
  assert.equal(ids.size, 1000)
  for (const id of ids) assert.match(id, /^[\w-]{20}$/)
})

test('the constants stand on the class and on its instances', () => {
  const { AGServer, AGServerSocket } = subject
  const constants = {
    MIDDLEWARE_HANDSHAKE: 'handshake',
    MIDDLEWARE_INBOUND_RAW: 'inboundRaw',
    MIDDLEWARE_INBOUND: 'inbound',
    MIDDLEWARE_OUTBOUND: 'outbound',
  }
  for (const [name, value] of Object.entries(constants)) {
    assert.equal(AGServer[name], value)
    assert.equal(AGServer.prototype[name], value)
  }
  assert.equal(typeof AGServer.SYMBOL_MIDDLEWARE_HANDSHAKE_STREAM, 'symbol')
  const states = {
    CONNECTING: 'connecting',
    OPEN: 'open',
    CLOSED: 'closed',
    AUTHENTICATED: 'authenticated',
    UNAUTHENTICATED: 'unauthenticated',
  }
  for (const [name, value] of Object.entries(states)) {
    assert.equal(AGServerSocket[name], value)
    assert.equal(AGServerSocket.prototype[name], value)
  }
  assert.equal(AGServerSocket.ignoreStatuses[1000], 'Socket closed normally')
  assert.equal(AGServerSocket.errorStatuses[4001], 'Client pong timed out')
})

behaviour('sockets are instances of AGServerSocket', async (running) => {
  const { socket } = await running.rawPair()
  assert.ok(socket instanceof subject.AGServerSocket)
  assert.ok(running.server instanceof subject.AGServer)
  socket.ownProperty = 1
  assert.equal(running.server.clients[socket.id].ownProperty, 1)
})
