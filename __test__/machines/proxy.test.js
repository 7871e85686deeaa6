'use strict'

const assert = require('node:assert/strict')
const { once } = require('node:events')
const http = require('node:http')
const net = require('node:net')
const { after, test } = require('node:test')
const { WebSocket, WebSocketServer } = require('ws')
const { Proxy } = require('../../lib/machines')

const PROTOCOL = 'es-networkcluster.v1'
const closing = []
after(() => Promise.all(closing.map((close) => close())))

/** A server that answers each message with its own name and what it was asked for. */
async function upstream(name, port = 0) {
  const server = http.createServer()
  const sockets = new WebSocketServer({ server, handleProtocols: () => PROTOCOL })
  const seen = []
  sockets.on('connection', (socket, request) => {
    seen.push(request)
    socket.on('message', (data) => socket.send(`${name} ${request.url} ${data}`))
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const close = () => {
    for (const socket of sockets.clients) socket.terminate()
    server.close()
  }
  closing.push(close)
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    port: server.address().port,
    seen,
    close,
  }
}

async function proxy(options) {
  const machine = new Proxy({ listen: 'http://127.0.0.1:0', ...options })
  await machine.start()
  closing.push(() => machine.close({ force: true }))
  return machine
}

function connect(machine, path, options) {
  const url = `${machine.url.replace('http', 'ws')}es-networkcluster/v1/${path}`
  return new WebSocket(url, PROTOCOL, options)
}

async function ask(machine, path) {
  const socket = connect(machine, path)
  await once(socket, 'open')
  socket.send('hello')
  const [data] = await once(socket, 'message')
  socket.close()
  await once(socket, 'close')
  return String(data)
}

async function refused(machine, path) {
  const socket = connect(machine, path)
  const [, response] = await once(socket, 'unexpected-response')
  socket.on('error', () => {})
  socket.terminate()
  return response.statusCode
}

test('memories and emitters go to data, workers and adaptables to managers', async () => {
  const [data, manager] = [await upstream('data'), await upstream('manager')]
  const machine = await proxy({ data: [data.url], managers: [manager.url] })
  const path = '/es-networkcluster/v1'
  assert.equal(await ask(machine, 'data/a%20b'), `data ${path}/data/a%20b hello`)
  assert.equal(await ask(machine, 'events/'), `data ${path}/events/ hello`)
  assert.equal(await ask(machine, 'worker/'), `manager ${path}/worker/ hello`)
  assert.equal(await ask(machine, 'control/'), `manager ${path}/control/ hello`)
  assert.equal(await refused(machine, 'admin/x'), 404)
  const { active, completed, failed } = machine.stats()
  assert.deepEqual({ active, completed, failed }, { active: 0, completed: 4, failed: 1 })
})

test('what is no upgrade is refused, and so is a kind nobody serves', async () => {
  const data = await upstream('data')
  const machine = await proxy({ data: [data.url] })
  assert.equal(await refused(machine, 'worker/'), 404)
  const response = await fetch(machine.url)
  assert.equal(response.status, 426)
})

test('round-robin takes turns, and who cannot be reached is left out', async () => {
  const [a, b, c] = [await upstream('a'), await upstream('b'), await upstream('c')]
  b.close()
  const machine = await proxy({ data: [a.url, b.url, c.url] })
  const counts = { a: 0, c: 0 }
  for (let n = 0; n < 12; n++) counts[(await ask(machine, 'data/x'))[0]] += 1
  assert.ok(counts.a >= 4 && counts.c >= 4, JSON.stringify(counts))
  a.close()
  c.close()
  assert.equal(await refused(machine, 'data/x'), 502)
  const again = await upstream('b', b.port)
  assert.match(await ask(machine, 'data/x'), /^b /)
  again.close()
})

test('rendezvous gives each name one place, and moves only the names of a lost one', async () => {
  const all = [await upstream('a'), await upstream('b'), await upstream('c')]
  const machine = await proxy({ data: all.map(({ url }) => url), strategy: 'rendezvous' })
  const before = new Map()
  for (let n = 0; n < 30; n++) before.set(`k${n}`, (await ask(machine, `data/k${n}`))[0])
  assert.equal(new Set(before.values()).size, 3)
  all[1].close()
  for (const [name, place] of before) {
    const now = (await ask(machine, `data/${name}`))[0]
    if (place === 'b') assert.notEqual(now, 'b')
    else assert.equal(now, place)
  }
})

test('least-pending goes where the fewest connections are', async () => {
  const [a, b] = [await upstream('a'), await upstream('b')]
  const machine = await proxy({ data: [a.url, b.url], strategy: 'least-pending' })
  const sockets = []
  for (let n = 0; n < 6; n++) {
    const socket = connect(machine, 'data/x')
    sockets.push(socket)
    await once(socket, 'open')
  }
  assert.deepEqual([a.seen.length, b.seen.length], [3, 3])
  const ended = []
  for (const socket of sockets) {
    socket.close()
    ended.push(once(socket, 'close'))
  }
  await Promise.all(ended)
})

test('route has the first word; what it says wrongly is reported and left out', async () => {
  const [a, b] = [await upstream('a'), await upstream('b')]
  const asked = []
  let answer = b.url
  const machine = await proxy({
    data: [a.url, b.url],
    route: (request) => {
      asked.push(request)
      return answer
    },
  })
  for (let n = 0; n < 4; n++) assert.match(await ask(machine, 'data/x'), /^b /)
  assert.deepEqual(asked[0], { kind: 'crud', key: 'x' })
  const errors = []
  machine.on('error', (error) => errors.push(error))
  answer = 'http://127.0.0.1:9'
  assert.match(await ask(machine, 'events/y'), /hello$/)
  assert.equal(errors[0].code, 'ERR_NC_INVALID_ARG')
  assert.equal(asked.at(-1).kind, 'event')
})

test('a stream of any size passes, both ways, and its end too', async () => {
  const data = await upstream('data')
  const machine = await proxy({ data: [data.url] })
  const socket = connect(machine, 'data/x')
  await once(socket, 'open')
  const long = 'x'.repeat(8 * 1024 * 1024)
  socket.send(long)
  const [answer] = await once(socket, 'message')
  assert.equal(answer.length, 'data /es-networkcluster/v1/data/x '.length + long.length)
  const ended = once(socket, 'close')
  data.close()
  await ended
  await machine.drain()
  assert.equal(machine.stats().active, 0)
})

test('there are at most so many connections', async () => {
  const data = await upstream('data')
  const machine = await proxy({ data: [data.url], maxConnections: 1 })
  const socket = connect(machine, 'data/x')
  await once(socket, 'open')
  assert.equal(await refused(machine, 'data/x'), 503)
  socket.close()
  await once(socket, 'close')
})

test('drain() refuses new connections and waits for the open ones', async () => {
  const data = await upstream('data')
  const machine = await proxy({ data: [data.url] })
  const socket = connect(machine, 'data/x')
  await once(socket, 'open')
  const draining = machine.drain()
  assert.equal(await refused(machine, 'data/x'), 503)
  socket.send('still here')
  assert.match(String((await once(socket, 'message'))[0]), /still here/)
  socket.close()
  await draining
  await machine.close()
  await machine.close({ force: true })
})

test('close() with force ends what is open', async () => {
  const data = await upstream('data')
  const machine = await proxy({ data: [data.url] })
  const socket = connect(machine, 'data/x')
  socket.on('error', () => {})
  await once(socket, 'open')
  const ended = once(socket, 'close')
  const patient = machine.close({ timeout: 60_000 })
  await machine.close({ force: true })
  await Promise.all([patient, ended])
})

test('an address in use is told', async () => {
  const data = await upstream('data')
  const machine = new Proxy({ listen: data.url, data: ['http://127.0.0.1:1'] })
  await assert.rejects(machine.start(), { code: 'ERR_NC_CONNECT' })
  await machine.close()
  await assert.rejects(new Proxy({ listen: data.url, data: [data.url] }).start(), {
    code: 'ERR_NC_CONNECT',
  })
})

test('a client that says nothing, or nonsense, ends alone', async () => {
  const data = await upstream('data')
  const machine = await proxy({ data: [data.url] })
  const { port } = new URL(machine.url)
  const nonsense = net.connect(Number(port), '127.0.0.1')
  nonsense.on('error', () => {})
  nonsense.write('\0\0\0\0\r\n\r\n')
  nonsense.resume()
  await once(nonsense, 'close')
  const hangsUp = connect(machine, 'data/x')
  hangsUp.on('error', () => {})
  hangsUp.terminate()
  assert.match(await ask(machine, 'data/x'), /hello$/)
})
