'use strict'

// A chunk of a job in a worker: its items are run and answered.

const { NetworkClusterError } = require('../core/network-cluster-error')
const { ItemError } = require('../functions')
const { decodeItems, encodeItems } = require('../values/index.js')
const answers = require('./answers.js')
const { failureOf, own } = require('./errors.js')

/** Where the blocks begin in what `take()` gives: first, count, tag and data of each. */
const BLOCKS = 5
const FIELDS = 4

/**
 * @typedef {object} Port the worker's side of the queue: see `NativeWorkerPort`
 * @property {() => any[] | null} take
 * @property {(lease: number, first: number, count: number, last: boolean, tag: number, data: any) => void} done
 * @property {(lease: number, item: number, json: string) => void} failed
 * @property {(lease: number, index: number, tag: number, data: any) => void} progress
 * @property {() => number[]} cancelled
 * @property {(hash: string) => string | null | Promise<string | null>} function
 * @property {() => void} close
 */

/**
 * @typedef {object} Work how a lease is done
 * @property {import('./job').JobTold} told
 * @property {import('../functions').Runner} runner
 * @property {any} scope of the function
 * @property {() => any[] | null | Promise<any[]>} values of the scope keys that the runner wants
 */

/**
 * @typedef {object} Outcome of a block
 * @property {number} first
 * @property {number} count
 * @property {any} results
 * @property {Map<number, unknown>} failures what items threw, by index
 * @property {boolean} last whether the lease is over with it
 */

class Lease {
  #port
  #worker
  #taken
  #attempt
  /** @type {Work} */
  #work
  /** @type {any[] | null} */
  #values = null
  #cancelled = false
  /** @type {AbortController | undefined} */
  #controller
  #contextOf = (/** @type {number} */ index) => new Context(this, index)

  /**
   * @param {Port} port
   * @param {string} worker
   * @param {any[]} taken what `take()` gave
   */
  constructor(port, worker, taken) {
    this.#port = port
    this.#worker = worker
    this.#taken = taken
    this.id = /** @type {number} */ (taken[0])
    this.#attempt = /** @type {number} */ (taken[2])
  }

  get attempt() {
    return this.#attempt + 1
  }

  get worker() {
    return this.#worker
  }

  /** @type {AbortSignal} aborted when nobody wants the results any more */
  get signal() {
    this.#controller ??= new AbortController()
    if (this.#cancelled) this.#controller.abort()
    return this.#controller.signal
  }

  cancel() {
    this.#cancelled = true
    this.#controller?.abort()
  }

  /** @param {number} index @param {unknown} value */
  progress(index, value) {
    if (this.#cancelled) return
    const { tag, data } = encodeItems([value])
    this.#port.progress(this.id, index, tag, data)
  }

  /**
   * Runs it and answers. Never throws or rejects.
   * @param {Work} work
   * @returns {Promise<void> | undefined} undefined if it is over already
   */
  run(work) {
    this.#work = work
    try {
      return this.#read()?.catch((error) => this.fail(error))
    } catch (error) {
      this.fail(error)
      return undefined
    }
  }

  /** @param {unknown} error ends the lease: of an item, or at its first one */
  fail(error) {
    const { index, cause } = placed(error, this.#taken[BLOCKS])
    this.#port.failed(this.id, index, this.#failure(cause))
  }

  /** The values of the scope first, once for all blocks. */
  #read() {
    const values = this.#work.values()
    if (!(values instanceof Promise)) {
      this.#values = values
      return this.#blocks(BLOCKS)
    }
    return values.then((read) => {
      this.#values = read
      return this.#blocks(BLOCKS)
    })
  }

  /**
   * @param {number} at the block to begin with
   * @returns {Promise<void> | undefined}
   */
  #blocks(at) {
    for (; at < this.#taken.length; at += FIELDS) {
      if (this.#cancelled) return this.#giveUp()
      const [first, , tag, data] = this.#taken.slice(at, at + FIELDS)
      const following = at + FIELDS
      const running = this.#block(first, decodeItems(tag, data), following >= this.#taken.length)
      if (running instanceof Promise) {
        return running.then((goesOn) => (goesOn ? this.#blocks(following) : undefined))
      }
      if (!running) return undefined
    }
    return undefined
  }

  /**
   * @param {number} first
   * @param {any[] | Float64Array} items
   * @param {boolean} last whether the lease is over with it
   * @returns {boolean | Promise<boolean>} whether the lease goes on
   */
  #block(first, items, last) {
    const { told, runner, scope } = this.#work
    /** @type {Map<number, unknown>} by index */
    const failures = new Map()
    const results = runner.run(items, first, this.#values, scope, this.#contextOf, {
      inFlight: told.inFlight,
      failed: told.single ? (index, cause) => void failures.set(index, cause) : undefined,
    })
    const then = (/** @type {any} */ settled) =>
      this.#answer({ first, count: items.length, results: settled, failures, last })
    return results instanceof Promise ? results.then(then) : then(results)
  }

  /**
   * @param {Outcome} outcome
   * @returns {boolean} whether the lease goes on
   */
  #answer({ first, count, results, failures, last }) {
    const { told } = this.#work
    if (this.#cancelled) {
      this.#giveUp()
      return false
    }
    if (failures.size === 0) {
      this.#done(first, count, last, answers.answer(told.kind, results, first))
      return true
    }
    if (told.collect && this.#attempt >= told.throwRetries) {
      const told = [...failures].map(([index, cause]) => [index, this.#failure(cause)])
      this.#done(first, count, last, answers.collected(results, told, first))
      return true
    }
    return this.#partly(first, count, results, failures)
  }

  /**
   * What has succeeded is done, so that only the others are done again.
   * @param {number} first
   * @param {number} count
   * @param {any} results one for each item
   * @param {Map<number, unknown>} failures
   */
  #partly(first, count, results, failures) {
    const { kind } = this.#work.told
    const failed = [...failures.keys()].sort((a, b) => a - b)
    let from = first
    for (const index of [...failed, first + count]) {
      if (index > from) {
        const some = results?.slice(from - first, index - first)
        this.#done(from, index - from, false, answers.answer(kind, some, from))
      }
      from = index + 1
    }
    this.fail(new ItemError(failed[0], failures.get(failed[0])))
    return false
  }

  /** @param {unknown} cause */
  #failure(cause) {
    return failureOf(cause, this.#worker, this.attempt)
  }

  /** Nobody wants the rest: only that it has ended is of interest. */
  #giveUp() {
    this.#port.failed(this.id, this.#taken[BLOCKS], '{}')
    return undefined
  }

  /**
   * @param {number} first
   * @param {number} count
   * @param {boolean} last
   * @param {import('./answers').Answer} answer
   */
  #done(first, count, last, { tag, data }) {
    this.#port.done(this.id, first, count, last, tag, data)
  }
}

/** What a function is told of the item it is called for. */
class Context {
  #lease

  /** @param {Lease} lease @param {number} index */
  constructor(lease, index) {
    this.#lease = lease
    this.index = index
  }

  get attempt() {
    return this.#lease.attempt
  }

  get workerId() {
    return this.#lease.worker
  }

  get signal() {
    return this.#lease.signal
  }

  /** @param {unknown} value */
  progress(value) {
    this.#lease.progress(this.index, value)
  }
}

/**
 * @param {unknown} error
 * @param {number} otherwise the index if the error is about no item in particular
 * @returns {{ index: number, cause: unknown }}
 */
function placed(error, otherwise) {
  if (error instanceof ItemError) return /** @type {any} */ (error)
  if (error instanceof NetworkClusterError) own(error)
  return { index: otherwise, cause: error }
}

module.exports = Lease
