'use strict'

// What a manager gives to parallel work: the queue of the core, and what becomes of its records.

const { NativePool } = require('../core/native')
const JobTable = require('./job-table')
const { FIELDS, RECORD } = require('./records')

const STRUCTURES = ['nested', 'network', 'sharded']

/**
 * @typedef {object} WorkerEvents what the compute tells about workers
 * @property {(worker: string, reason: string) => void} terminate one that overran, or must not go on
 * @property {(worker: string, info: string) => void} online
 * @property {(worker: string, reason: string) => void} lost
 * @property {(count: number) => void} demand more workers would have work
 * @property {(worker: string) => void} retired one asked to retire has done its last
 * @property {() => void} drained some records were handled
 * @property {(error: Error) => void} error a record could not be handled
 */

/**
 * @typedef {object} ComputeOptions
 * @property {number} leaseTime ms
 * @property {number} maxQueue items
 * @property {'nested' | 'network' | 'sharded'} structure
 * @property {number} verifyResults
 * @property {number} retries
 * @property {((item: any) => string) | undefined} shardKey
 * @property {() => number} parallelism how many workers there may be
 * @property {() => Promise<void>} ready
 * @property {() => void} submitted told of every job
 * @property {() => Error | undefined} refusal why there is no more work to be had
 */

class Compute {
  #options
  #events
  #draining = false
  #closed = false
  /** @type {any} */
  #stats

  /**
   * @param {string} id the pool's
   * @param {ComputeOptions} options
   * @param {WorkerEvents} events
   */
  constructor(id, options, events) {
    this.#options = options
    this.#events = events
    this.id = id
    /** The jobs under way. Whoever submits a job enters it here before it pushes. */
    this.jobs = new JobTable(options.submitted)
    /** Who is online, and what is to be done when they are lost. @type {Map<string, Set<() => void>>} */
    this.workers = new Map()
    this.pool = new NativePool(
      id,
      {
        leaseMs: options.leaseTime,
        maxQueue: options.maxQueue,
        structure: STRUCTURES.indexOf(options.structure),
        verify: options.verifyResults,
      },
      () => this.#wake(),
    )
  }

  /** How many workers there may be: what a source is pulled ahead for. */
  get parallelism() {
    return this.#options.parallelism()
  }

  /** How often what a lost worker had is done again, by default. */
  get retries() {
    return this.#options.retries
  }

  /** What items are assigned to workers by, unless a job says so itself. */
  get shardKey() {
    return this.#options.shardKey
  }

  /** Why there is no more work to be had. */
  get refusal() {
    return this.#options.refusal()
  }

  /** See `JobTable.hold()`. */
  hold() {
    return this.jobs.hold()
  }

  /** Resolves when work can be submitted; rejects if there can be no workers. */
  ready() {
    return this.#options.ready()
  }

  /**
   * Lets workers ask for the function. One that only some workers have has no text.
   * @param {{ hash: string, name: string, code?: string, report?: object }} description
   */
  register(description) {
    const { hash, code, ...rest } = description
    if (code === undefined || this.pool.knows(hash)) return
    this.pool.register(hash, JSON.stringify({ source: code, ...rest }))
  }

  /** What came, in the order it came. */
  #wake() {
    if (this.#draining || this.#closed) return
    this.#draining = true
    try {
      const records = this.pool.drain()
      for (let at = 0; at < records.length;) {
        const kind = /** @type {number} */ (records[at])
        this.#guarded(kind, records, at + 1)
        at += 1 + FIELDS[kind]
      }
    } finally {
      this.#draining = false
    }
    this.#events.drained()
  }

  /**
   * A throw must neither leave this callback, which ends the process, nor cost the records behind it.
   *
   * @param {number} kind
   * @param {any[]} records
   * @param {number} at
   */
  #guarded(kind, records, at) {
    try {
      this.#record(kind, records, at)
    } catch (error) {
      this.#events.error(error instanceof Error ? error : new Error(String(error)))
    }
  }

  /**
   * @param {number} kind
   * @param {any[]} records
   * @param {number} at
   */
  #record(kind, records, at) {
    const events = this.#events
    switch (kind) {
      case RECORD.TERMINATE:
        return events.terminate(records[at], records[at + 1])
      case RECORD.ONLINE:
        this.workers.set(records[at], new Set())
        return events.online(records[at], records[at + 1])
      case RECORD.LOST:
        for (const tell of this.workers.get(records[at]) ?? []) tell()
        this.workers.delete(records[at])
        return events.lost(records[at], records[at + 1])
      case RECORD.DEMAND:
        return events.demand(records[at])
      case RECORD.RETIRED:
        return events.retired(records[at])
      case RECORD.TICK:
        return undefined
      default:
        return this.#toJob(kind, records, at)
    }
  }

  /**
   * @param {number} kind
   * @param {any[]} records
   * @param {number} at
   */
  #toJob(kind, records, at) {
    const id = records[at]
    const job = this.jobs.get(id)
    if (job === undefined) return
    if (kind === RECORD.DONE || kind === RECORD.FAILED) this.jobs.delete(id)
    job.onRecord(kind, records, at)
  }

  /** What the pool counts. @returns {import('../../types/machines').MachineStats} */
  stats() {
    if (!this.#closed) {
      const { jobs: _jobs, ...counts } = this.pool.stats()
      this.#stats = counts
    }
    return this.#stats
  }

  /**
   * A worker is gone; what it had is done again by others.
   * @param {string} worker
   * @param {string} reason
   */
  workerLost(worker, reason) {
    if (this.#closed) return
    // First what was before, that it came online for instance; then what follows from this.
    this.#wake()
    this.pool.workerLost(worker, reason)
    this.#wake()
  }

  /**
   * Ends every job with an error.
   * @param {import('../core/network-cluster-error').ErrorCode} code
   * @param {string} message
   */
  failAll(code, message) {
    for (const id of [...this.jobs.keys()]) this.fail(id, code, message)
  }

  /**
   * Ends a job with an error.
   * @param {number} id
   * @param {import('../core/network-cluster-error').ErrorCode} code
   * @param {string} message
   */
  fail(id, code, message) {
    const job = this.jobs.get(id)
    if (job === undefined) return
    this.pool.cancel(id)
    this.jobs.delete(id)
    job.onRecord(RECORD.FAILED, [id, -1, JSON.stringify({ code, message })], 0)
  }

  close() {
    if (this.#closed) return
    this.failAll('ERR_NC_CLOSED', 'the manager was closed')
    // Its workers are ended next, and nobody hears of it any more.
    this.#stats = { ...this.stats(), workers: 0, idle: 0, active: 0 }
    this.#closed = true
    this.jobs.close()
    this.pool.close()
  }
}

module.exports = Compute
