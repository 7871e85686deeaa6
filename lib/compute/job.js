'use strict'

// One piece of parallel work: items go in as blocks, results come out.

const { NetworkClusterError } = require('../core/network-cluster-error')
const { decodeItems } = require('../values/index.js')
const { abortError, errorOf } = require('./errors.js')

/** Kinds of the records of `NativePool.drain()` that are a job's; a job is not told the others. */
const RECORD = { RESULT: 1, FAILED: 2, PROGRESS: 3, ROOM: 4, DONE: 5 }

/** How often what a lost worker had is done again, unless the job or the manager says. */
const RETRIES = 2

/**
 * @typedef {'map' | 'filter' | 'flatMap' | 'forEach' | 'reduce' | 'call'} Kind
 * @typedef {import('./options').WorkOptions} WorkOptions
 * @typedef {{ hash: string, name: string, code: string, report: any }} Description
 */

/** @typedef {{ onRecord: (kind: number, records: any[], at: number) => void }} JobSeam */
/** @typedef {Map<number, JobSeam> & { keepAlive: (id: number, stays: boolean) => void }} Jobs */

/**
 * @typedef {object} Compute what a manager gives to parallel work
 * @property {any} pool the core's queue
 * @property {Jobs} jobs
 * @property {() => Promise<void>} ready when work can be submitted
 * @property {() => () => void} [hold] the manager drains until what it gives was called
 * @property {(description: Description) => void} register lets workers ask for the function
 * @property {number} [parallelism] how many workers there may be
 * @property {number} [retries]
 * @property {((item: any) => string) | undefined} [shardKey]
 * @property {Error | undefined} [refusal] why there is no more work to be had
 */

/**
 * @typedef {object} JobTold what workers are told of a job, as JSON
 * @property {Kind} kind
 * @property {object | null} memory the scope, as `openMemory` takes it
 * @property {'snapshot' | 'latest'} reads
 * @property {number} inFlight items under way at once in one chunk, where the function is async
 * @property {number} throwRetries how often the worker itself does an item again that throws
 * @property {boolean} collect an item that fails is a result like others
 */

/** Items of an async function that one chunk has under way. */
const IN_FLIGHT = 16

/**
 * @param {Kind} kind
 * @param {WorkOptions} options
 * @param {object | null} memory
 * @returns {JobTold}
 */
function told(kind, options, memory) {
  return {
    kind,
    memory,
    reads: options.reads,
    inFlight: options.concurrency > 0 ? 1 : IN_FLIGHT,
    throwRetries: retriesThere(kind, options) ? (options.retries ?? 0) : 0,
    collect: options.onError === 'collect',
  }
}

/**
 * Whether a worker itself does an item again that throws: the others of its chunk are not touched by
 * that. Where time is taken the queue does it, as it does where items are combined.
 * @param {Kind} kind
 * @param {WorkOptions} options
 */
const retriesThere = (kind, options) => options.timeout === 0 && kind !== 'reduce'

/**
 * @param {Kind} kind
 * @param {WorkOptions} options
 * @returns {number} items of a block; 0 to find out
 */
function chunkSizeOf(kind, options) {
  // Time is taken for one item, or for combining two.
  if (options.timeout > 0) return kind === 'reduce' ? 2 : 1
  // What one item of a chunk gave cannot be told from what others gave: see `Lease`.
  if (kind === 'flatMap' && options.retries) return 1
  return options.chunkSize
}

class Job {
  #compute
  #options
  #settled = false
  #stays = true
  #doneItems = 0
  /** @type {(() => void)[]} */
  #room = []
  /** @type {(value?: any) => void} */
  #resolve
  /** @type {(error: unknown) => void} */
  #reject
  #abort = () => this.cancel(abortError(/** @type {AbortSignal} */ (this.#options.signal)))

  /**
   * Submits the job; the worker's side of it is `WorkerLoop`.
   * @param {Compute} compute
   * @param {Description} description
   * @param {WorkOptions} options
   * @param {Kind} kind
   * @param {object} more
   * @param {object | null} [more.memory] the scope, as `openMemory` takes it
   * @param {boolean} [more.stream] results are told at once, not at the end
   * @param {boolean} [more.plainOnly] all that is pushed is JSON or numbers
   * @param {string} [more.worker] the one that is to do it
   * @param {number} [more.total] how many items there are, if that is known
   * @param {(first: number, count: number, tag: number, data: any) => void} more.onResult of items
   *   `first` to `first + count`; `tag` and `data` as `decodeItems` takes them
   * @throws {NetworkClusterError} ERR_NC_QUEUE_FULL, ERR_NC_CLOSED
   */
  constructor(
    compute,
    description,
    options,
    kind,
    { memory = null, stream = false, plainOnly = false, worker, total, onResult },
  ) {
    if (compute.refusal) throw compute.refusal
    this.#compute = compute
    this.#options = options
    this.total = total
    this.onResult = onResult
    /** Resolves when every item's result has been told, rejects with why there is not. */
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    // Whoever waits hears of it; before that it is no unhandled rejection.
    this.done.catch(() => {})
    compute.register(description)
    const json = JSON.stringify(told(kind, options, memory))
    this.id = submit(compute, {
      fn: description.hash,
      json,
      priority: options.priority,
      concurrency: options.concurrency,
      retries: options.retries ?? compute.retries ?? RETRIES,
      throwRetries: retriesThere(kind, options) ? 0 : (options.retries ?? 0),
      timeoutMs: options.timeout,
      chunkSize: chunkSizeOf(kind, options),
      stream: stream || options.onProgress !== undefined,
      needsCode: true,
      plainOnly,
      worker,
    })
    compute.jobs.set(this.id, this)
    options.signal?.addEventListener('abort', this.#abort, { once: true })
  }

  /** Whether it has ended, one way or the other. */
  get settled() {
    return this.#settled
  }

  /**
   * @param {number} first place of the first item
   * @param {number} count
   * @param {number} tag
   * @param {Uint8Array | Float64Array | string} data
   * @param {number} [partition] items of the same one go to the same worker; -1 for none
   * @returns {Promise<void> | undefined} a promise if the queue is full: resolves when there is room
   */
  push(first, count, tag, data, partition = -1) {
    if (this.#settled) return undefined
    if (this.#compute.pool.push(this.id, first, count, tag, data, partition)) return undefined
    return new Promise((resolve) => this.#room.push(resolve))
  }

  /**
   * Whether the process stays for it, as it does at first.
   * @param {boolean} stays
   */
  keepAlive(stays) {
    if (this.#settled || stays === this.#stays) return
    this.#stays = stays
    this.#compute.jobs.keepAlive(this.id, stays)
  }

  /** There are no more items. */
  end() {
    if (!this.#settled) this.#compute.pool.end(this.id)
  }

  /**
   * Ends the job at once. What is under way in workers is told to stop and its results are dropped.
   * @param {unknown} reason what `done` rejects with
   */
  cancel(reason) {
    if (this.#settled) return
    this.#compute.jobs.delete(this.id)
    this.#compute.pool.cancel(this.id)
    this.#settle(() => this.#reject(reason))
  }

  /**
   * @param {number} kind
   * @param {any[]} records of `NativePool.drain()`
   * @param {number} at where this one's fields start
   */
  onRecord(kind, records, at) {
    if (this.#settled) return
    try {
      if (kind === RECORD.RESULT) this.#result(records, at)
      else if (kind === RECORD.PROGRESS) {
        this.#progress(decodeItems(records[at + 2], records[at + 3])[0])
      } else if (kind === RECORD.ROOM) this.#makeRoom()
      else if (kind === RECORD.DONE) this.#settle(() => this.#resolve())
      else if (kind === RECORD.FAILED) {
        const error = errorOf(records[at + 1], records[at + 2])
        this.#settle(() => this.#reject(error))
      }
    } catch (error) {
      // A listener of the caller's, or a result that cannot be read.
      this.cancel(error)
    }
  }

  /** @param {any[]} records @param {number} at */
  #result(records, at) {
    const count = records[at + 2]
    this.onResult(records[at + 1], count, records[at + 3], records[at + 4])
    this.#doneItems += count
    if (this.#options.onProgress !== undefined) this.#progress(undefined)
  }

  /** @param {unknown} value */
  #progress(value) {
    this.#options.onProgress?.({ done: this.#doneItems, total: this.total, value })
  }

  #makeRoom() {
    const waiting = this.#room
    this.#room = []
    for (const resolve of waiting) resolve()
  }

  /** @param {() => void} tell */
  #settle(tell) {
    this.#settled = true
    this.#options.signal?.removeEventListener('abort', this.#abort)
    this.#compute.jobs.delete(this.id)
    tell()
    this.#makeRoom()
  }
}

/**
 * @param {Compute} compute
 * @param {object} job
 * @returns {number}
 */
function submit(compute, job) {
  try {
    return compute.pool.submit(job)
  } catch (cause) {
    throw refused(cause)
  }
}

/** @param {unknown} cause what the core threw instead of taking a job */
function refused(cause) {
  const { code, message } = /** @type {any} */ (cause)
  if (String(code).startsWith('ERR_NC_')) return new NetworkClusterError(code, message)
  return new NetworkClusterError('ERR_NC_QUEUE_FULL', message, { cause })
}

module.exports = { Job, RECORD, RETRIES, chunkSizeOf, refused, told }
