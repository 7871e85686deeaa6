'use strict'

const assert = require('node:assert')
const path = require('node:path')
const { after, test } = require('node:test')
const { Worker } = require('node:worker_threads')
const { NativePool, NativeWorkerPort } = require('../../native/binding.cjs')

const WORKER = path.join(__dirname, 'fixtures/port-worker.js')
const LENGTHS = [0, 6, 4, 5, 2, 2, 3, 3, 3, 2, 2]
const [RESULT, FAILED, DONE, TERMINATE, LOST] = [1, 2, 5, 6, 8]

const open = []
after(() => Promise.all(open.map((close) => close())))

/** A pool with threads, whose records can be waited for. */
class Pool {
  static #count = 0
  id = `test-${++Pool.#count}`
  threads = new Map()
  records = []
  #waiting = []

  constructor(options = {}) {
    const defaults = { leaseMs: 30_000, maxQueue: 0, structure: 0, verify: 0 }
    this.native = new NativePool(this.id, { ...defaults, ...options }, () => this.#drain())
    open.push(() => this.close())
  }

  #drain() {
    const records = this.native.drain()
    for (let at = 0; at < records.length; at += LENGTHS[records[at]]) {
      this.records.push(records.slice(at, at + LENGTHS[records[at]]))
    }
    for (const look of this.#waiting) look()
  }

  /** The first record that fits, now or later. */
  until(fits) {
    return new Promise((resolve) => {
      const look = () => {
        const found = this.records.find(fits)
        if (found === undefined) return
        this.#waiting = this.#waiting.filter((it) => it !== look)
        resolve(found)
      }
      this.#waiting.push(look)
      look()
    })
  }

  end(job) {
    return this.until(([kind, of]) => (kind === DONE || kind === FAILED) && of === job)
  }

  results(job) {
    return this.records.filter(([kind, of]) => kind === RESULT && of === job)
  }

  thread(name) {
    const worker = new Worker(WORKER, { workerData: { pool: this.id, worker: name } })
    this.threads.set(name, worker)
    return worker
  }

  submit(fn, options = {}) {
    return this.native.submit({
      fn,
      json: '{"kind":"map"}',
      priority: 0,
      concurrency: 0,
      retries: -1,
      throwRetries: 0,
      timeoutMs: 0,
      chunkSize: 0,
      stream: false,
      needsCode: false,
      plainOnly: true,
      ...options,
    })
  }

  async close() {
    this.native.close()
    await Promise.all([...this.threads.values()].map((it) => it.terminate()))
  }
}

const numbers = (count) => Float64Array.from({ length: count }, (_, index) => index)

test('numbers are divided between threads and come back as one', async () => {
  const pool = new Pool()
  pool.thread('a')
  pool.thread('b')
  const job = pool.submit('double')
  assert.strictEqual(pool.native.push(job, 0, 10_000, 12, numbers(10_000), -1), true)
  pool.native.end(job)
  await pool.end(job)
  const results = pool.results(job)
  assert.strictEqual(results.length, 1)
  const [, , first, count, tag, data] = results[0]
  assert.deepStrictEqual([first, count, tag], [0, 10_000, 12])
  assert.deepStrictEqual(
    data,
    numbers(10_000).map((it) => it * 2),
  )
  assert.strictEqual(pool.native.stats().completed, 10_000)
  await pool.close()
})

test('values of every kind arrive as they were', async () => {
  const pool = new Pool()
  pool.thread('a')
  const job = pool.submit('repeat')
  const bytes = Buffer.from([1, 2, 255])
  const values = [
    [8, '["plain"]', '["plain"]', 8],
    [8, '["é"]', '["é"]', 8],
    [8, '["漢字 😀"]', '["漢字 😀"]', 9],
    [2, '', '', 2],
    [10, bytes, bytes, 10],
    [1, -0.5, -0.5, 1],
    [4, undefined, undefined, 4],
    [11, new Uint8Array(0), Buffer.alloc(0), 11],
  ]
  values.forEach(([tag, data], index) => pool.native.push(job, index, 1, tag, data, -1))
  pool.native.end(job)
  await pool.end(job)
  assert.deepStrictEqual(
    pool.results(job).map(([, , first, , tag, data]) => [first, tag, data]),
    values.map(([, , data, tag], index) => [index, tag, data]),
  )
  await pool.close()
})

test('an error says which item, who and how often', async () => {
  const pool = new Pool()
  pool.thread('a')
  const job = pool.submit('throw', { throwRetries: 2 })
  pool.native.push(job, 7, 1, 8, '[1]', -1)
  pool.native.end(job)
  const [kind, , item, json] = await pool.end(job)
  assert.deepStrictEqual([kind, item], [FAILED, 7])
  const wanted = { name: 'Error', message: 'no', workerId: 'a', attempts: 3 }
  assert.deepStrictEqual(JSON.parse(json), wanted)
  await pool.close()
})

test('what a terminated thread had goes to another one', async () => {
  const pool = new Pool()
  const first = pool.thread('first')
  const job = pool.submit('stuck', { retries: 1 })
  pool.native.push(job, 0, 1, 8, '[1]', -1)
  pool.native.end(job)
  await new Promise((resolve) => first.once('message', resolve))
  await first.terminate()
  await pool.until(([kind, worker]) => kind === LOST && worker === 'first')
  const second = pool.thread('second')
  await new Promise((resolve) => second.once('message', resolve))
  await second.terminate()
  pool.native.workerLost('second', 'ERR_NC_WORKER_OUT_OF_MEMORY')
  const [kind, , item, json] = await pool.end(job)
  assert.deepStrictEqual([kind, item], [FAILED, 0])
  const { code, workerId, attempts } = JSON.parse(json)
  assert.deepStrictEqual(
    { code, workerId, attempts },
    { code: 'ERR_NC_WORKER_OUT_OF_MEMORY', workerId: 'second', attempts: 2 },
  )
  await pool.close()
})

test('a thread that takes too long for an item is to be terminated', async () => {
  const pool = new Pool()
  const thread = pool.thread('slow')
  const job = pool.submit('stuck', { timeoutMs: 30 })
  pool.native.push(job, 3, 1, 8, '[1]', -1)
  pool.native.end(job)
  const [kind, , item, json] = await pool.end(job)
  assert.deepStrictEqual([kind, item, JSON.parse(json).code], [FAILED, 3, 'ERR_NC_TASK_TIMEOUT'])
  const told = await pool.until(([of]) => of === TERMINATE)
  assert.deepStrictEqual(told, [TERMINATE, 'slow', 'timeout'])
  await thread.terminate()
  await pool.close()
})

test('threads that end at any moment do no harm', async () => {
  const pool = new Pool()
  const job = pool.submit('double', { chunkSize: 10, retries: 1000 })
  pool.native.push(job, 0, 20_000, 12, numbers(20_000), -1)
  pool.native.end(job)
  const churn = Array.from({ length: 12 }, async (_, index) => {
    const thread = pool.thread(`churn-${index}`)
    await new Promise((resolve) => thread.once('online', resolve))
    await thread.terminate()
  })
  await Promise.all(churn)
  pool.thread('steady')
  await pool.end(job)
  assert.deepStrictEqual(
    pool.results(job)[0][5],
    numbers(20_000).map((it) => it * 2),
  )
  await pool.close()
})

test('a closed pool takes nothing and says so', async () => {
  const pool = new Pool()
  assert.throws(() => new NativePool(pool.id, pool.native.stats(), () => {}))
  const port = new NativeWorkerPort(pool.id, 'here', 1, () => {})
  const job = pool.submit('double')
  pool.native.push(job, 0, 4, 12, numbers(4), -1)
  pool.native.close()
  pool.native.close()
  assert.strictEqual(port.take(), null)
  assert.deepStrictEqual(port.cancelled(), [])
  assert.throws(() => pool.submit('double'), { code: 'ERR_NC_CLOSED' })
  assert.throws(() => new NativeWorkerPort(pool.id, 'late', 1, () => {}), { code: 'ERR_NC_CLOSED' })
  assert.strictEqual(pool.native.push(job, 4, 4, 12, numbers(4), -1), true)
  assert.deepStrictEqual(pool.native.drain(), [])
  port.close()
  port.close()
})

test('what is no value is refused', () => {
  const pool = new Pool()
  const job = pool.submit('double')
  assert.throws(() => pool.native.push(job, 0, 1, 12, {}, -1))
  assert.throws(() => pool.native.push(job, 0, 1, 12, 'text', -1))
  assert.throws(() => pool.native.push(job, 0, 1, 12, new Int16Array(4), -1))
  assert.throws(() => pool.native.push(job, 0, 1, 300, undefined, -1))
  pool.native.close()
})

test('a queue that is full refuses jobs', () => {
  const pool = new Pool({ maxQueue: 10 })
  const job = pool.submit('double')
  pool.native.push(job, 0, 10, 12, numbers(10), -1)
  assert.throws(() => pool.submit('double'), { code: 'ERR_NC_QUEUE_FULL' })
  pool.native.cancel(job)
  pool.submit('double')
  pool.native.close()
})

test('a call is a whole job, of a function that is registered or needs not be', () => {
  const pool = new Pool({ maxQueue: 2 })
  const call = (fn, sourced) => pool.native.call(fn, sourced, '{}', 2, 6, undefined)
  assert.equal(call('unknown', true), 0)
  assert.equal(pool.native.stats().jobs, 0)
  pool.native.register('known', '{}')
  const job = pool.native.call('known', true, '{}', 2, 8, '[1]')
  const { jobs, pending } = pool.native.stats()
  assert.deepEqual([job, jobs, pending], [1, 1, 1])
  assert.ok(call('of the workers', false) > job)
  assert.throws(() => call('known', true), { code: 'ERR_NC_QUEUE_FULL' })
  assert.throws(() => pool.native.call('known', true, '{}', 2, 12, {}))
  pool.native.close()
  assert.throws(() => call('of the workers', false), { code: 'ERR_NC_CLOSED' })
})
