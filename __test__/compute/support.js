'use strict'

// A manager whose workers are what the test wants: threads, or on the thread of the test.

const path = require('node:path')
const { Worker } = require('node:worker_threads')

const { NativePool, NativeWorkerPort } = require('../../lib/core/native')
const { WorkerLoop } = require('../../lib/compute/worker-loop.js')
const { IteratorClass } = require('../../lib/compute/iterator.js')
const JobTable = require('../../lib/machines/job-table.js')

/** Fields of the records of `NativePool.drain()`, by kind. */
const FIELDS = [0, 5, 3, 4, 1, 1, 2, 2, 2, 1, 1, 1]
const TERMINATE = 6
const SLOTS = 16
/** What a thread runs. */
const ENTRY = path.join(__dirname, '..', '..', 'lib', 'compute', 'thread.js')

let managers = 0

class LocalManager {
  #pool
  #id = `test ${process.pid} ${managers++}`
  #workers = 0
  /** @type {{ close(): void }[]} */
  #open = []
  #compute
  #closed = false
  /** @type {Map<string, Worker>} by worker */
  #threads = new Map()

  /**
   * @param {object} [options]
   * @param {number} [options.local] workers on this thread
   * @param {number} [options.threads] workers that are threads; a lost one is replaced
   * @param {number} [options.maxQueue] items
   * @param {object} [options.resourceLimits] of threads
   */
  constructor({ local = 0, threads = 0, maxQueue = 0, resourceLimits } = {}) {
    this.resourceLimits = resourceLimits
    const jobs = new JobTable()
    this.#pool = new NativePool(
      this.#id,
      { leaseMs: 30_000, maxQueue, structure: 0, verify: 0 },
      () => this.#drain(jobs),
    )
    this.#compute = {
      pool: this.#pool,
      jobs,
      parallelism: local + threads,
      retries: 2,
      ready: async () => {},
      register: ({ hash, name, code, report }) =>
        this.#pool.register(hash, JSON.stringify({ source: code, name, report })),
    }
    for (let i = 0; i < local; i++) this.work()
    for (let i = 0; i < threads; i++) this.thread()
  }

  _compute() {
    return this.#compute
  }

  get pool() {
    return this.#pool
  }

  /** The class of iterators whose work it does. */
  get Iterator() {
    return new IteratorClass(this)
  }

  /** A worker that does what it is given. */
  work() {
    /** @type {any} */
    let loop
    const { port, id } = this.port(() => loop?.wake())
    loop = new WorkerLoop(port, { id })
    this.#open.push(loop)
    return { id, port, loop }
  }

  /** A worker that is a thread, as managers make them. */
  thread() {
    const worker = `worker ${this.#workers++}`
    const { resourceLimits } = this
    const thread = new Worker(ENTRY, { workerData: { pool: this.#id, worker }, resourceLimits })
    this.#threads.set(worker, thread)
    let reason = ''
    thread.on('error', (/** @type {any} */ error) => (reason = error.code ?? error.message))
    thread.on('exit', (code) => {
      if (!this.#threads.delete(worker) || this.#closed) return
      this.lose(worker, reason || `exit code ${code}`)
      this.thread()
    })
    thread.unref()
    return worker
  }

  /** @param {string} worker a thread */
  kill(worker) {
    return this.#threads.get(worker)?.terminate()
  }

  /** The threads there are. */
  get threads() {
    return [...this.#threads.keys()]
  }

  /**
   * What a worker has of the queue, for a test that plays the worker.
   * @param {() => void} wake
   */
  port(wake) {
    const id = `worker ${this.#workers++}`
    const port = new NativeWorkerPort(this.#id, id, SLOTS, wake)
    this.#open.push(port)
    return { id, port }
  }

  /** @param {string} worker that is gone, with what it had */
  lose(worker, reason = 'killed by the test') {
    this.#pool.workerLost(worker, reason)
  }

  async close() {
    this.#closed = true
    for (const open of this.#open) open.close()
    await Promise.all([...this.#threads.values()].map((thread) => thread.terminate()))
    this.#pool.close()
  }

  /** @param {Map<number, any>} jobs */
  #drain(jobs) {
    const records = this.#pool.drain()
    for (let at = 0; at < records.length; at += 1 + FIELDS[records[at]]) {
      const kind = /** @type {number} */ (records[at])
      if (kind === TERMINATE) this.kill(records[at + 1])
      if (kind <= 5) jobs.get(records[at + 1])?.onRecord(kind, records, at + 1)
    }
  }
}

/** @param {number} count */
const numbers = (count) => Array.from({ length: count }, (_, i) => i)

/** @param {number} ms */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

module.exports = { LocalManager, numbers, pause }
