'use strict'

// A manager whose workers are on the thread of the test, and do what the test says.

const { NativePool, NativeWorkerPort } = require('../../lib/core/native')
const { WorkerLoop } = require('../../lib/compute/worker-loop.js')
const { IteratorClass } = require('../../lib/compute/iterator.js')

/** Fields of the records of `NativePool.drain()`, by kind. */
const FIELDS = [0, 5, 3, 4, 1, 1, 2, 2, 2, 1, 1, 1]
const SLOTS = 16

let managers = 0

class LocalManager {
  #pool
  #id = `test ${process.pid} ${managers++}`
  #workers = 0
  /** @type {{ close(): void }[]} */
  #open = []
  #compute

  /** @param {number} workers */
  constructor(workers = 1) {
    const jobs = new Map()
    this.#pool = new NativePool(
      this.#id,
      { leaseMs: 30_000, maxQueue: 0, structure: 0, verify: 0 },
      () => this.#drain(jobs),
    )
    this.#compute = {
      pool: this.#pool,
      jobs,
      parallelism: workers,
      retries: 2,
      ready: async () => {},
      register: ({ hash, name, code, report }) =>
        this.#pool.register(hash, JSON.stringify({ source: code, name, report })),
    }
    for (let i = 0; i < workers; i++) this.work()
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

  close() {
    for (const open of this.#open) open.close()
    this.#pool.close()
  }

  /** @param {Map<number, any>} jobs */
  #drain(jobs) {
    const records = this.#pool.drain()
    for (let at = 0; at < records.length; at += 1 + FIELDS[records[at]]) {
      const kind = /** @type {number} */ (records[at])
      if (kind <= 5) jobs.get(records[at + 1])?.onRecord(kind, records, at + 1)
    }
  }
}

/** @param {number} count */
const numbers = (count) => Array.from({ length: count }, (_, i) => i)

/** @param {number} ms */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

module.exports = { LocalManager, numbers, pause }
