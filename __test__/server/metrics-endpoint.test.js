'use strict'

const assert = require('node:assert/strict')
const http = require('node:http')
const eetase = require('eetase')
const { consume, oursBehaviour, oursTest, once, startServer, subject } = require('../support')
const { parse } = require('../support/exposition')

const PREFIX = 'es_networkcluster_'
const OPTIONS = { metricsPath: '/metrics', ioThreads: 2, pingTimeoutDisabled: true }

async function get(port, path, options) {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, options)
  return { status: response.status, headers: response.headers, body: await response.text() }
}

async function scrape(port, path = '/metrics') {
  const { status, headers, body } = await get(port, path)
  assert.equal(status, 200)
  assert.equal(headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
  return parse(body)
}

/** The samples of a family that have these labels. */
function samples(families, name, labels = {}) {
  const wanted = Object.entries(labels)
  return families
    .get(PREFIX + name)
    .samples.filter((sample) => wanted.every(([label, value]) => sample.labels[label] === value))
}

const page = (request, response) => response.end(`page ${request.method} ${request.url}`)

const withPages = () => ({ ...OPTIONS, httpServer: http.createServer(page) })

oursBehaviour('the endpoint has the figures of the server', withPages, async (running) => {
  const client = await running.raw()
  await client.subscribe('a')
  running.server.exchange.transmitPublish('a', 1)
  await client.until(() => client.published('a').length === 1, 'publication')
  const families = await scrape(running.port)
  for (const name of families.keys()) assert.ok(name.startsWith(PREFIX), name)
  assert.deepEqual(samples(families, 'published_messages_total'), [
    { labels: { path: '/socketcluster/' }, value: 1 },
  ])
  assert.equal(samples(families, 'sessions', { state: 'open' })[0].value, 1)
  const threads = samples(families, 'connections').map(({ labels }) => labels.thread)
  assert.deepEqual(threads, ['0', '1', 'js'])
  assert.deepEqual(
    samples(families, 'io_turns_total').map(({ labels }) => labels.thread),
    ['0', '1'],
  )
})

oursBehaviour('all other requests are the handlers’ own', withPages, async (running) => {
  const { port } = running
  assert.equal((await get(port, '/')).body, 'page GET /')
  assert.equal((await get(port, '/metrics/')).body, 'page GET /metrics/')
  assert.equal((await get(port, '/metrics', { method: 'POST' })).body, 'page POST /metrics')
  await scrape(port, '/metrics?x=1')
  const head = await get(port, '/metrics', { method: 'HEAD' })
  assert.equal(head.status, 200)
  assert.equal(head.body, '')
  assert.ok(Number(head.headers.get('content-length')) > 1000)
})

oursTest('there is no endpoint unless the option says so', async () => {
  const httpServer = http.createServer(page)
  const running = await startServer({ httpServer })
  try {
    assert.equal(Object.hasOwn(httpServer, 'emit'), false)
    assert.equal((await get(running.port, '/metrics')).body, 'page GET /metrics')
  } finally {
    await running.stop()
  }
})

oursTest('after close() the path is the handlers’ again', async () => {
  const running = await startServer(withPages())
  try {
    await scrape(running.port)
    await running.close()
    assert.equal(Object.hasOwn(running.httpServer, 'emit'), false)
    assert.equal((await get(running.port, '/metrics')).body, 'page GET /metrics')
  } finally {
    await running.stop()
  }
})

oursTest('a server of listen() answers the path, and 501 to all else', async () => {
  const server = subject.listen({ port: 0, host: '127.0.0.1' }, OPTIONS)
  try {
    await once(server.httpServer, 'listening')
    const { port } = server.httpServer.address()
    await scrape(port)
    assert.equal((await get(port, '/')).status, 501)
  } finally {
    await server.close()
    server.httpServer.close()
    server.httpServer.closeAllConnections()
  }
})

oursTest('servers on one http server share the endpoint', async () => {
  const first = await startServer(withPages())
  const { httpServer, port } = first
  const odd = '/a"b\\c\nd/'
  const second = subject.attach(httpServer, { ...OPTIONS, path: odd })
  const twin = subject.attach(httpServer, { ...OPTIONS, path: odd })
  const apart = subject.attach(httpServer, { ...OPTIONS, path: '/x', metricsPath: '/x/metrics' })
  const paths = (families) => samples(families, 'channels').map(({ labels }) => labels.path)
  try {
    assert.deepEqual(paths(await scrape(port)), ['/socketcluster/', odd])
    assert.deepEqual(paths(await scrape(port, '/x/metrics')), ['/x'])
    await first.close()
    assert.deepEqual(paths(await scrape(port)), [odd])
    await Promise.all([second.close(), twin.close()])
    assert.equal((await get(port, '/metrics')).body, 'page GET /metrics')
    assert.deepEqual(paths(await scrape(port, '/x/metrics')), ['/x'])
    await apart.close()
    assert.equal((await get(port, '/x/metrics')).body, 'page GET /x/metrics')
    assert.equal(Object.hasOwn(httpServer, 'emit'), false)
  } finally {
    await first.stop()
  }
})

oursTest('an http server that is a stream of requests keeps them', async () => {
  const httpServer = eetase(http.createServer())
  const { emit } = httpServer
  consume(httpServer.listener('request'), ([request, response]) => page(request, response))
  const running = await startServer({ ...OPTIONS, httpServer })
  try {
    assert.equal((await get(running.port, '/')).body, 'page GET /')
    await scrape(running.port)
    await running.close()
    assert.equal(httpServer.emit, emit)
    assert.equal((await get(running.port, '/metrics')).body, 'page GET /metrics')
  } finally {
    await running.stop()
  }
})

oursTest('what others have made of the http server since is left alone', async () => {
  const running = await startServer(withPages())
  const { httpServer, port } = running
  const { emit } = httpServer
  const others = function (...args) {
    return emit.apply(this, args)
  }
  httpServer.emit = others
  try {
    await scrape(port)
    await running.close()
    assert.equal(httpServer.emit, others)
    assert.equal((await get(port, '/metrics')).body, 'page GET /metrics')
    const next = subject.attach(httpServer, OPTIONS)
    await scrape(port)
    assert.equal(httpServer.emit, others)
    await next.close()
  } finally {
    await running.stop()
  }
})

oursTest('a path that is none is refused', () => {
  for (const metricsPath of ['metrics', '', 5, true]) {
    assert.throws(() => subject.attach(http.createServer(), { metricsPath }), {
      name: 'InvalidOptionsError',
      code: 'ERR_INVALID_OPTIONS',
      message: /metricsPath/,
    })
  }
})
