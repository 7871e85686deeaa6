'use strict'

const { test } = require('node:test')
const assert = require('node:assert/strict')
const net = require('node:net')
const { once } = require('node:events')
const { Worker } = require('node:worker_threads')
const { hosts } = require('../../lib/link')
const { Memory } = require('./support/memory')
const { freePort, setting } = require('./support')

const limit = { timeout: 60_000 }

test('two processes share a memory, whoever is first', limit, async (t) => {
  const { url, peer } = await setting(t, 'cart')
  const [a, b] = [peer(), peer()]
  assert.equal(await a.ask('join', url), true)
  assert.equal(await b.ask('join', url), false)
  assert.equal(await b.ask('ready'), false)
  await a.ask('set', 'x', 1)
  assert.equal(await b.ask('get', 'x'), 1)
  assert.equal(await b.ask('increment', 'x'), 2)
  assert.equal(await a.ask('get', 'x'), 2)
  assert.equal(await b.ask('get', 'y'), undefined)
})

test('one that may not serve waits for one that does', limit, async (t) => {
  const { url, peer } = await setting(t)
  const [a, b] = [peer(), peer()]
  assert.equal(await b.ask('join', url, { host: 'never' }), false)
  const set = b.ask('set', 'x', 7)
  assert.equal(await a.ask('join', url), true)
  await set
  assert.equal(await a.ask('get', 'x'), 7)
})

test('names are memories of their own', limit, async (t) => {
  const { url, peer } = await setting(t)
  const [a, b, c] = [peer(), peer(), peer()]
  await a.ask('join', `${url}one`)
  await b.ask('join', `${url}one`)
  await c.ask('join', `${url}two`)
  await b.ask('set', 'x', 1)
  await c.ask('set', 'x', 2)
  assert.equal(await a.ask('get', 'x'), 1)
})

test('of 8 processes at once, one serves', limit, async (t) => {
  const { url, peer } = await setting(t)
  const peers = Array.from({ length: 8 }, () => peer())
  await Promise.all(peers.map((each) => each.here))
  const local = await Promise.all(peers.map((each) => each.ask('join', url)))
  assert.equal(local.filter(Boolean).length, 1)
  await Promise.all(peers.map((each) => each.ask('increment', 'n')))
  assert.deepEqual(await Promise.all(peers.map((each) => each.ask('get', 'n'))), Array(8).fill(8))
})

test('if who serves is killed, one takes over and the others follow', limit, async (t) => {
  const { url, peer } = await setting(t)
  const owner = peer()
  await owner.ask('join', url)
  const others = [peer(), peer(), peer()]
  await Promise.all(others.map((each) => each.ask('join', url)))
  await Promise.all(others.map((each) => each.ask('ready')))
  await others[0].ask('set', 'n', 5)
  const moved = Promise.race(others.map((each) => each.event('change')))
  const downs = others.map((each) => each.event('down'))
  await owner.kill()
  await Promise.all([moved, ...downs])
  // What is asked while there is no connection waits for the new one, whose memory is empty.
  await Promise.all(others.map((each) => again(() => each.ask('increment', 'n'))))
  assert.deepEqual(await Promise.all(others.map((each) => each.ask('get', 'n'))), [3, 3, 3])
  const local = await Promise.all(others.map((each) => each.ask('local')))
  assert.equal(local.filter(Boolean).length, 1)
})

/** An operation that waited where this process takes over is to be done once more, here. */
async function again(operation) {
  try {
    return await operation()
  } catch (error) {
    if (!/this process serves/.test(error.message)) throw error
    return operation()
  }
}

test('what was sent to who is killed rejects', limit, async (t) => {
  const { url, peer } = await setting(t)
  const owner = peer()
  await owner.ask('join', url)
  const joined = hosts.join(url, { host: 'never' })
  t.after(() => joined.close())
  await joined.ready
  const { client } = joined
  owner.child.kill('SIGSTOP')
  const gets = Array.from({ length: 100 }, () => new Memory(joined).get('x'))
  const settled = Promise.allSettled(gets)
  // All of it has been sent: nothing waits for a connection.
  await new Promise(setImmediate)
  assert.equal(client.pending, 100)
  const down = once(joined, 'down')
  await owner.kill()
  const [error] = await down
  assert.equal(error.code, 'ERR_NC_CONNECT')
  for (const { reason } of await settled) assert.equal(reason.code, 'ERR_NC_CONNECT')
  assert.equal(client.pending, 0)
})

test('threads of the process that serves use it directly', limit, async (t) => {
  const { url } = await setting(t)
  const code = `
    const { parentPort, workerData } = require('node:worker_threads')
    const { hosts } = require(workerData.link)
    const joined = hosts.join(workerData.url, workerData.options)
    joined.ready.then(() => parentPort.postMessage(joined.local))
    parentPort.once('message', () => { joined.close(); parentPort.close() })`
  const link = require.resolve('../../lib/link')
  const start = (options) => {
    const worker = new Worker(code, { eval: true, workerData: { url, link, options } })
    return { worker, local: once(worker, 'message') }
  }
  const workers = Array.from({ length: 4 }, () => start({}))
  for (const { local } of workers) assert.deepEqual(await local, [true])
  const never = start({ host: 'never' })
  assert.deepEqual(await never.local, [true])
  // The address is served until the last of them has gone, however it goes.
  for (const { worker } of [...workers, never]) await worker.terminate()
  const server = net.createServer().listen(Number(new URL(url).port), '127.0.0.1')
  await once(server, 'listening')
  server.close()
})

test('close can be repeated, and the address is free at once', limit, async (t) => {
  const { url } = await setting(t)
  for (let round = 0; round < 20; round++) {
    const joined = hosts.join(url)
    assert.equal(joined.local, true)
    joined.close()
    joined.close()
    await joined.ready
  }
})

test('one process may join an address several times', limit, async (t) => {
  const { url } = await setting(t)
  const [a, b] = [hosts.join(`${url}a`), hosts.join(`${url}b`)]
  assert.ok(a.local && b.local)
  assert.equal(a.machine, b.machine)
  a.close()
  const c = hosts.join(url)
  assert.ok(c.local)
  b.close()
  c.close()
})

test('nobody there is ERR_NC_CONNECT after connectTimeout', limit, async () => {
  const joined = hosts.join(`http://localhost:${await freePort()}/`, {
    host: 'never',
    connectTimeout: 200,
  })
  const operation = new Memory(joined).get('x')
  await assert.rejects(joined.ready, { code: 'ERR_NC_CONNECT', message: /ECONNREFUSED|refused/ })
  await assert.rejects(operation, { code: 'ERR_NC_CONNECT' })
  joined.close()
  joined.close()
})

test('somebody else there is ERR_NC_CONNECT too', limit, async (t) => {
  const server = net.createServer((socket) => socket.end('HTTP/1.1 404 Not Found\r\n\r\n'))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.after(() => server.close())
  const joined = hosts.join(`http://localhost:${server.address().port}/`, { connectTimeout: 300 })
  assert.equal(joined.local, false)
  await assert.rejects(joined.ready, { code: 'ERR_NC_CONNECT', message: /404/ })
  joined.close()
})

test('what waits for a connection is bounded', limit, async (t) => {
  const joined = hosts.join(`http://localhost:${await freePort()}/`, {
    host: 'never',
    connectTimeout: 2000,
  })
  t.after(() => joined.close())
  const { client } = joined
  const outcomes = Array.from({ length: 10_001 }, () => client.request(0x1a))
  await assert.rejects(outcomes.pop(), { code: 'ERR_NC_QUEUE_FULL' })
  joined.close()
  for (const outcome of outcomes) await assert.rejects(outcome, { code: 'ERR_NC_CLOSED' })
})

test('bad options are refused before anything happens', () => {
  for (const options of [
    { host: 'always' },
    { connectTimeout: 0 },
    { connectTimeout: NaN },
    { connectTimeout: 2 ** 31 },
    { token: '' },
    { token: 5 },
    { token: 'x'.repeat(1025) },
    { allowedOrigins: 'http://a' },
    { allowedOrigins: [1] },
  ]) {
    assert.throws(() => hosts.join('http://localhost:1', options), { code: 'ERR_NC_INVALID_ARG' })
  }
})

test('a process that is done exits by itself', limit, async (t) => {
  const { url, peer } = await setting(t)
  const [owner, client] = [peer(), peer()]
  await owner.ask('join', url)
  await client.ask('join', url)
  await client.ask('set', 'x', 1)
  await client.ask('leave')
  assert.deepEqual(await client.exited, [0, null])
  // Neither does serving keep a process alive.
  await owner.ask('leave')
  assert.deepEqual(await owner.exited, [0, null])
})

test('a process that waits for something does not', limit, async (t) => {
  const { url, peer } = await setting(t)
  const [owner, client] = [peer(), peer()]
  await client.ask('join', url, { host: 'never' })
  const set = client.ask('set', 'x', 3)
  await owner.ask('join', url)
  await set
  assert.equal(await owner.ask('get', 'x'), 3)
})
