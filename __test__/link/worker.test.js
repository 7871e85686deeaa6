'use strict'

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { once } = require('node:events')
const WebSocket = require('ws')
const native = require('../../lib/core/native')
const { Client, hosts, frames, url } = require('../../lib/link')
const { greet } = require('./support/greeting')
const { getBody, put, readGet } = require('./support/memory')

const { KINDS, TAGS, PATH, SUBPROTOCOL, Reader, Writer, frame, split } = frames
const limit = { timeout: 60_000 }
const token = 'secret'
let pools = 0

/** A pool, its records as they come, and a machine that workers connect to. */
function setting(
  t,
  { options = { token, allowedOrigins: ['https://a.example'] }, hosted = true } = {},
) {
  const id = `link-test-${(pools += 1)}`
  const records = []
  let told = () => {}
  const pool = new native.NativePool(
    id,
    { leaseMs: 30_000, maxQueue: 0, structure: 0, verify: 0 },
    () => {
      records.push(...pool.drain())
      told()
    },
  )
  const alive = setInterval(() => {}, 1000)
  const machine = hosts.listen('http://127.0.0.1:0', options)
  if (hosted) machine.hostPool(id)
  const clients = []
  t.after(() => {
    for (const client of clients) client.close()
    machine.release()
    pool.close()
    clearInterval(alive)
  })
  const until = async (...record) => {
    const found = () =>
      records.findIndex((_, at) => record.every((part, i) => part === records[at + i]))
    while (found() < 0) await new Promise((resolve) => (told = resolve))
    return records.slice(found(), found() + 8)
  }
  const address = url.parse(`http://127.0.0.1:${machine.port}/`)
  const client = (worker, more = {}) => {
    const made = new Client(address, { role: 'worker', token: options.token, worker, ...more })
    clients.push(made)
    return made
  }
  const submit = (more = {}) =>
    pool.submit({
      fn: 'hash',
      json: '{"kind":"map"}',
      priority: 0,
      concurrency: 0,
      retries: -1,
      throwRetries: 0,
      timeoutMs: 0,
      chunkSize: 0,
      stream: false,
      needsCode: false,
      plainOnly: false,
      ...more,
    })
  return { machine, pool, records, until, client, submit }
}

/** Chunks that a client is given, one after the other. */
function chunks(client) {
  const waiting = []
  const takers = []
  client.onPush(KINDS.CHUNK, (_id, body) => {
    const chunk = readChunk(body)
    const taker = takers.shift()
    if (taker) taker(chunk)
    else waiting.push(chunk)
  })
  return async () => waiting.shift() ?? new Promise((resolve) => takers.push(resolve))
}

function readChunk(body) {
  const reader = new Reader(body)
  const chunk = { job: reader.u32(), lease: reader.u32(), attempt: reader.u16(), blocks: [] }
  Object.assign(chunk, { fn: reader.str(), json: reader.str() })
  for (let count = reader.u16(); count > 0; count--) {
    const [first, length] = [reader.u32(), reader.u32()]
    const data = reader.value()
    const copy = data instanceof Uint8Array ? data.slice() : data
    chunk.blocks.push({ first, count: length, tag: reader.tag, data: copy })
  }
  assert.equal(reader.left, 0)
  return chunk
}

const done = (client, lease, first, count, tag, data) =>
  client.send(
    KINDS.DONE,
    0,
    new Writer().u32(lease).u32(first).u32(count).u8(1).value(tag, data).finish(),
  )

const me = { id: 'w1', concurrency: 1, code: true, encodings: ['structured'], kind: 'process' }

test('a worker gets work, asks for the function and answers', limit, async (t) => {
  const { pool, until, client, submit } = setting(t)
  const worker = client(me)
  const next = chunks(worker)
  const [, , json] = await until(7, 'w1')
  assert.deepEqual(JSON.parse(json), me)
  pool.register('hash', '{"source":"x"}')
  const job = submit({ needsCode: true })
  pool.push(job, 0, 2, TAGS.JSON, '[1,2]', -1)
  pool.end(job)
  const chunk = await next()
  assert.deepEqual([chunk.job, chunk.attempt, chunk.fn], [job, 0, 'hash'])
  assert.deepEqual(chunk.blocks, [{ first: 0, count: 2, tag: TAGS.JSON, data: '[1,2]' }])
  const source = await worker.request(KINDS.FUNCTION, new Writer().str('hash').finish())
  assert.equal(new Reader(source).str(), '{"source":"x"}')
  await assert.rejects(worker.request(KINDS.FUNCTION, new Writer().str('other').finish()), {
    code: 'ERR_NC_FUNCTION_SOURCE',
  })
  const progress = new Writer().u32(chunk.lease).u32(1).value(TAGS.NUMBER, 0.5).finish()
  worker.send(KINDS.PROGRESS, 0, progress)
  await until(3, job, 1, TAGS.NUMBER, 0.5)
  done(worker, chunk.lease, 0, 2, TAGS.JSON, '[2,4]')
  await until(1, job, 0, 2, TAGS.JSON, '[2,4]')
  await until(5, job)
})

test('what a worker had goes to another one when it is gone', limit, async (t) => {
  const { pool, until, client, submit } = setting(t)
  const first = client(me)
  const next = chunks(first)
  await until(7, 'w1')
  const job = submit()
  pool.push(job, 0, 1, TAGS.JSON, '[1]', -1)
  pool.end(job)
  assert.equal((await next()).attempt, 0)
  const second = client({ ...me, id: 'w2' })
  const other = chunks(second)
  await until(7, 'w2')
  first.close()
  await until(8, 'w1')
  const chunk = await other()
  assert.equal(chunk.attempt, 1)
  done(second, chunk.lease, 0, 1, TAGS.JSON, '[5]')
  await until(5, job)
})

test('what failed is told, and what is cancelled is told to the worker', limit, async (t) => {
  const { pool, until, client, submit } = setting(t)
  const worker = client(me)
  const next = chunks(worker)
  await until(7, 'w1')
  const job = submit()
  pool.push(job, 0, 1, TAGS.JSON, '[1]', -1)
  pool.end(job)
  const { lease } = await next()
  const error = '{"name":"Error","message":"no"}'
  worker.send(KINDS.FAILED, 0, new Writer().u32(lease).u32(0).str(error).finish())
  const failed = await until(2, job)
  assert.equal(failed[2], 0)
  assert.match(failed[3], /no/)

  const cancelled = new Promise((resolve) =>
    worker.onPush(KINDS.CANCELLED, (_id, body) => resolve(body)),
  )
  const other = submit()
  pool.push(other, 0, 1, TAGS.JSON, '[1]', -1)
  const chunk = await next()
  pool.cancel(other)
  assert.equal(new Reader(await cancelled).u32(), chunk.lease)
})

const within = (name, kind, body) =>
  new Writer()
    .str(name)
    .bytes(frame(kind, 0, body))
    .finish()

test('a worker reads the memories of the process it works for', limit, async (t) => {
  const { until, client } = setting(t)
  const memory = new native.NativeMemory('worker-scope')
  t.after(() => memory.close())
  memory.scratch(new Float64Array(8))
  memory.setNumber('x', 6)
  const worker = client(me)
  await until(7, 'w1')
  const get = within('worker-scope', KINDS.GET, getBody('x'))
  assert.equal(readGet(await worker.request(KINDS.WITH_MEMORY, get)), 6)
  await worker.request(KINDS.WITH_MEMORY, within('worker-scope', KINDS.COMMIT, put('x', 7)))
  assert.equal(memory.get('x'), 7)
})

test('without a token, only those that it was given work on', limit, async (t) => {
  const { pool, until, client, submit } = setting(t, { options: {} })
  const memory = new native.NativeMemory('shown')
  t.after(() => memory.close())
  memory.scratch(new Float64Array(8))
  memory.setNumber('x', 6)
  const worker = client({ ...me, functions: ['hash'] })
  const next = chunks(worker)
  await until(7, 'w1')
  const get = within('shown', KINDS.GET, getBody('x'))
  await assert.rejects(worker.request(KINDS.WITH_MEMORY, get), { code: 'ERR_NC_CODE_REFUSED' })
  const job = submit({ json: '{"memory":{"name":"shown"}}' })
  pool.push(job, 0, 1, TAGS.JSON, '[1]', -1)
  await next()
  assert.equal(readGet(await worker.request(KINDS.WITH_MEMORY, get)), 6)
  const hidden = within('', KINDS.GET, getBody('x'))
  await assert.rejects(worker.request(KINDS.WITH_MEMORY, hidden), { code: 'ERR_NC_CODE_REFUSED' })
  const source = worker.request(KINDS.FUNCTION, new Writer().str('hash').finish())
  await assert.rejects(source, { code: 'ERR_NC_CODE_REFUSED' })
})

test('a worker of a web page may read what it was given work on, and no more', limit, async (t) => {
  const { machine, pool, until, submit } = setting(t)
  const memory = new native.NativeMemory('page')
  t.after(() => memory.close())
  memory.scratch(new Float64Array(8))
  memory.setNumber('x', 6)
  const page = new WebSocket(`ws://127.0.0.1:${machine.port}${PATH}worker/`, SUBPROTOCOL, {
    origin: 'https://a.example',
  })
  t.after(() => page.terminate())
  await once(page, 'open')
  const say = (kind, id, body) => page.send(frame(kind, id, body))
  const answer = async (id) => {
    for (;;) {
      const [bytes] = await once(page, 'message')
      const read = split(bytes)
      if (read.kind === KINDS.ANSWER && read.id === id) return read.body
    }
  }
  // What it says of itself does not make it a process.
  const asked = (id, kind, name, body) => {
    const answered = answer(id)
    say(KINDS.WITH_MEMORY, id, within(name, kind, body))
    return answered
  }
  assert.equal((await greet(page, { token, role: 'worker', json: { worker: me } }))[0], 0)
  await until(7, 'w1')
  assert.equal((await asked(2, KINDS.GET, 'page', getBody('x')))[0], 1)
  const chunk = once(page, 'message')
  const job = submit({ json: '{"memory":{"name":"page"}}', plainOnly: true })
  pool.push(job, 0, 1, TAGS.JSON, '[1]', -1)
  await chunk
  assert.equal(readGet((await asked(3, KINDS.GET, 'page', getBody('x'))).subarray(1)), 6)
  assert.equal((await asked(4, KINDS.COMMIT, 'page', put('x', 1)))[0], 1)
  assert.equal((await asked(5, KINDS.GET, '', getBody('x')))[0], 1)
  // Code is not sent to pages, whatever they say that they accept.
  pool.register('hash', '{"source":"x"}')
  const refused = answer(6)
  say(KINDS.FUNCTION, 6, new Writer().str('hash').finish())
  const reader = new Reader(await refused)
  assert.deepEqual([reader.u8(), reader.str()], [1, 'ERR_NC_CODE_REFUSED'])
})

test('a worker that comes before the manager waits for it', limit, async (t) => {
  const { machine, pool, until, client } = setting(t, { hosted: false })
  const worker = client(me)
  const [reason] = await Promise.race([
    once(worker, 'closed'),
    new Promise((resolve) => setTimeout(resolve, 300, ['still trying'])),
  ])
  assert.equal(reason, 'still trying')
  assert.match(worker.unreachable().message, /no manager/)
  machine.hostPool(`link-test-${pools}`)
  await until(7, 'w1')
  assert.equal(pool.stats().workers, 1)
})

test('control messages go both ways, and too many end the connection', limit, async (t) => {
  const { machine, client } = setting(t)
  const opened = once(machine, 'opened')
  const other = client(undefined, { role: 'control' })
  await once(other, 'up')
  const [connection, hello] = await opened
  assert.equal(JSON.parse(hello).role, 'control')
  const heard = once(machine, 'control')
  other.send(KINDS.CONTROL, 0, new Writer().str('{"a":1}').finish())
  assert.deepEqual(await heard, [connection, '{"a":1}'])
  const told = new Promise((resolve) => other.onPush(KINDS.CONTROL, (_id, body) => resolve(body)))
  machine.control(connection, '{"b":2}')
  assert.equal(new Reader(await told).str(), '{"b":2}')

  const down = once(other, 'down')
  const closed = once(machine, 'closed')
  const long = 'x'.repeat(16 * 1024 * 1024)
  // Synchronously: nobody reads meanwhile, neither this thread nor the link's for long.
  for (let i = 0; i < 64; i++) machine.control(connection, long)
  assert.deepEqual(await closed, [connection])
  const [error] = await down
  assert.equal(error.code, 'ERR_NC_CONNECT')
})

test('what a worker says that is none ends its connection', limit, async (t) => {
  const { client, until } = setting(t)
  for (const [kind, body] of [
    [KINDS.DONE, Uint8Array.of(1)],
    [KINDS.FAILED, new Writer().u32(1).u32(1).str('{}').u8(1).finish()],
    [KINDS.PROGRESS, new Writer().u32(1).u32(1).u8(99).u32(0).finish()],
    [KINDS.WITH_MEMORY, new Writer().str('m').u8(1).finish()],
    [KINDS.WITH_MEMORY, within('m', KINDS.WITH_MEMORY, within('m', KINDS.STATS))],
    [KINDS.GET, getBody('x')],
    [KINDS.CHUNK, Uint8Array.of(0)],
  ]) {
    const worker = client(me)
    await once(worker, 'up')
    const down = once(worker, 'down')
    worker.send(kind, 5, body)
    const [error] = await down
    assert.match(error.message, /4403/)
    worker.close()
  }
  await until(8, 'w1')
})
