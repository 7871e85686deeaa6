'use strict'

const assert = require('node:assert/strict')
const http = require('node:http')
const https = require('node:https')
const net = require('node:net')
const { test } = require('node:test')
const eetase = require('eetase')
const { certificate } = require('../support/certificate')
const { behaviour, oursBehaviour, oursTest, once, startServer, subject } = require('../support')
const { forEachTransport, transportOption, RawClient } = require('../support')

const get = (module, port, path = '/') =>
  new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, agent: false, rejectUnauthorized: false }
    const request = module.get(options, (response) => {
      let body = ''
      response.on('data', (part) => (body += part))
      response.on('end', () => resolve({ status: response.statusCode, body }))
    })
    request.on('error', reject)
  })

const page = (request, response) => response.end(`page ${request.url}`)

async function assertPubSub(running) {
  const one = await running.pair()
  const two = await running.pair()
  const channel = one.client.subscribe('news')
  await channel.listener('subscribe').once()
  const received = channel.once(5000)
  await two.client.invokePublish('news', { n: 1 })
  assert.deepEqual(await received, { n: 1 })
}

behaviour(
  'an http server keeps its own pages while sockets are served',
  () => ({ httpServer: http.createServer(page) }),
  async (running) => {
    await assertPubSub(running)
    assert.deepEqual(await get(http, running.port, '/a'), { status: 200, body: 'page /a' })
  },
)

behaviour(
  'an https server keeps its own pages while sockets are served',
  () => ({ secure: true, httpServer: https.createServer(certificate(), page) }),
  async (running) => {
    await assertPubSub(running)
    assert.deepEqual(await get(https, running.port, '/b'), { status: 200, body: 'page /b' })
  },
)

behaviour(
  'an http server wrapped by eetase delivers requests as events and serves sockets',
  () => ({ httpServer: eetase(http.createServer()) }),
  async (running) => {
    const request = running.httpServer.listener('request').once()
    const answer = get(http, running.port, '/c')
    const [req, res] = await request
    res.end(`stream ${req.url}`)
    assert.deepEqual(await answer, { status: 200, body: 'stream /c' })
    await assertPubSub(running)
  },
)

behaviour('attach leaves the http server in the options of the caller', async (running) => {
  const options = {}
  const web = http.createServer()
  const server = subject.attach(web, options)
  assert.equal(options.httpServer, web)
  assert.equal(server.httpServer, web)
  await server.close()
  assert.notEqual(running.server, server)
})

forEachTransport((transport) => {
  test(`listen answers plain requests with 501 and serves sockets (${transport})`, async () => {
    const options = transportOption(transport)
    const server = await new Promise((resolve) => {
      const made = subject.listen(0, options, () => resolve(made))
    })
    const { port } = server.httpServer.address()
    const raw = new RawClient({ port })
    try {
      assert.deepEqual(await get(http, port), { status: 501, body: 'Not Implemented' })
      await raw.open()
      const answer = await raw.handshake()
      assert.equal(answer.data.isAuthenticated, false)
      assert.ok(raw.accepted)
    } finally {
      raw.destroy()
      await server.close()
      server.httpServer.closeAllConnections()
      await new Promise((resolve) => server.httpServer.close(resolve))
    }
  })
})

test('listen takes a callback in place of the options', async () => {
  const server = await new Promise((resolve) => {
    const made = subject.listen(0, () => resolve(made))
  })
  assert.equal(server.getPath(), '/socketcluster/')
  await server.close()
  await new Promise((resolve) => server.httpServer.close(resolve))
})

oursBehaviour(
  'several servers share one http server by their paths',
  async (running, transport) => {
    const second = await startServer({
      ...transportOption(transport),
      httpServer: running.httpServer,
      path: '/second/',
    })
    second.procedure('who', (request) => request.end('second'))
    running.procedure('who', (request) => request.end('first'))
    const one = await running.raw()
    const two = await second.raw({ path: '/second/' })
    assert.equal((await one.invoke('who')).data, 'first')
    assert.equal((await two.invoke('who')).data, 'second')
    await one.subscribe('shared')
    await two.subscribe('shared')
    await one.publish('shared', 'for the first only')
    await two.publish('shared', 'for the second only')
    await two.until(() => two.published('shared').length === 1)
    assert.deepEqual(two.published('shared'), ['for the second only'])
    assert.deepEqual(one.published('shared'), ['for the first only'])
    const nobody = await running.open({ path: '/third/' })
    assert.equal(nobody.status, 400)
    two.destroy()
    await second.untilEmpty()
    await second.close()
    await running.assertServes()
  },
)

oursTest("another upgrade handler's path is left to that handler", async () => {
  const httpServer = http.createServer()
  httpServer.on('upgrade', (request, socket) => {
    if (request.url !== '/foreign') return
    setTimeout(() => socket.end('HTTP/1.1 418 Foreign\r\nContent-Length: 0\r\n\r\n'), 30)
  })
  const running = await startServer({ httpServer })
  try {
    const foreign = await running.open({ path: '/foreign' })
    assert.equal(foreign.status, 418)
    await running.assertServes()
  } finally {
    await running.stop()
  }
})

behaviour('the socket knows the address of its peer', async (running) => {
  const { client, socket } = await running.rawPair()
  assert.match(socket.remoteAddress, /127\.0\.0\.1$/)
  assert.equal(socket.remoteFamily, `IPv${net.isIP(socket.remoteAddress)}`)
  assert.equal(socket.remotePort, client.socket.localPort)
  const closed = once(socket, 'close')
  client.sendClose(1000)
  await closed
  assert.match(socket.remoteAddress, /127\.0\.0\.1$/)
})
