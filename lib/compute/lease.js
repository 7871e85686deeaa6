'use strict'

// A chunk of a job in a worker: its items are run and answered.

const { NetworkClusterError } = require('../core/network-cluster-error')
const ItemError = require('../functions/item-error')
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
 * @property {any[] | Float64Array} items
 * @property {any} results
 * @property {Map<number, unknown>} failures what items threw, by index
 * @property {boolean} last whether the lease is over with it
 */

class Lease {
  #port
  #worker
  #taken
  #attempt
  #onBegun
  /** @type {Work} */
  #work
  /** @type {any[] | null} */
  #values = null
  /** @type {Map<number, number>} how often an item was done again here, by index */
  #tries = new Map()
  #cancelled = false
  /** @type {AbortController | undefined} */
  #controller
  #contextOf = (/** @type {number} */ index) => new Context(this, index)

  /**
   * @param {Port} port
   * @param {string} worker
   * @param {any[]} taken what `take()` gave
   * @param {() => void} [onBegun] called before the function is, once there is all that it needs
   */
  constructor(port, worker, taken, onBegun) {
    this.#port = port
    this.#worker = worker
    this.#taken = taken
    this.#onBegun = onBegun
    this.begun = false
    this.id = /** @type {number} */ (taken[0])
    this.#attempt = /** @type {number} */ (taken[2])
  }

  /** @param {number} index @returns {number} 1 at first */
  attemptAt(index) {
    return this.#attempt + 1 + (this.#tries.get(index) ?? 0)
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
    this.#port.failed(this.id, index, this.#failure(index, cause))
  }

  /** The values of the scope first, once for all blocks. */
  #read() {
    const values = this.#work.values()
    if (!(values instanceof Promise)) return this.#begin(values)
    return values.then((read) => this.#begin(read))
  }

  /** @param {any[] | null} values */
  #begin(values) {
    this.#values = values
    this.begun = true
    this.#onBegun?.()
    return this.#blocks(BLOCKS)
  }

  /**
   * @param {number} at the block to begin with
   * @returns {Promise<void> | undefined}
   */
  #blocks(at) {
    for (; at < this.#taken.length; at += FIELDS) {
      if (this.#cancelled) {
        this.#giveUp()
        return undefined
      }
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
    const { told } = this.#work
    /** @type {Map<number, unknown>} */
    const failures = new Map()
    const then = (/** @type {any} */ results) => {
      const outcome = { first, items, results, failures, last }
      return failures.size > 0 && told.throwRetries > 0 && !this.#cancelled
        ? this.#again(outcome)
        : this.#answer(outcome)
    }
    const results = this.#run(items, first, failures)
    return results instanceof Promise ? results.then(then) : then(results)
  }

  /**
   * @param {any[] | Float64Array} items
   * @param {number} first
   * @param {Map<number, unknown>} failures gets what items threw, where that does not end it
   */
  #run(items, first, failures) {
    const { told, runner, scope } = this.#work
    const goesOn = told.collect || told.throwRetries > 0
    const lease = this
    return runner.run(items, first, this.#values, scope, this.#contextOf, {
      inFlight: told.inFlight,
      // Made only where a function waits.
      get signal() {
        return lease.signal
      },
      failed: goesOn ? (index, cause) => void failures.set(index, cause) : undefined,
    })
  }

  /**
   * What threw is done again, and only that.
   * @param {Outcome} outcome
   */
  async #again(outcome) {
    const { kind, throwRetries } = this.#work.told
    const { first, items, failures } = outcome
    for (let tries = 1; tries <= throwRetries; tries++) {
      for (const index of [...failures.keys()]) {
        if (this.#cancelled) return this.#giveUp()
        failures.delete(index)
        this.#tries.set(index, tries)
        const again = await this.#run([items[index - first]], index, failures)
        // A block of flatMap() has one item where items are done again.
        if (kind === 'flatMap') outcome.results = again
        else if (again !== undefined) outcome.results[index - first] = again[0]
      }
    }
    return this.#answer(outcome)
  }

  /**
   * @param {Outcome} outcome
   * @returns {boolean} whether the lease goes on
   */
  #answer(outcome) {
    const { first, items, results, failures, last } = outcome
    const { collect } = this.#work.told
    if (this.#cancelled) return this.#giveUp()
    if (failures.size === 0) {
      const answer = this.#sendable(outcome)
      if (answer !== undefined) {
        this.#done(first, items.length, last, answer)
        return true
      }
    }
    if (collect) {
      const told = [...failures].map(([index, cause]) => [index, this.#failure(index, cause)])
      this.#done(first, items.length, last, answers.collected(results, told, first))
      return true
    }
    const index = Math.min(...failures.keys())
    this.fail(new ItemError(index, failures.get(index)))
    return false
  }

  /**
   * @param {Outcome} outcome
   * @returns {import('./answers').Answer | undefined} undefined if the only trouble is with results of
   *   single items, and those are to be collected: they are failures then
   */
  #sendable({ first, results, failures }) {
    const { kind, collect } = this.#work.told
    try {
      return answers.answer(kind, results, first)
    } catch (error) {
      if (!collect || kind === 'flatMap') throw error
    }
    for (const [i, result] of results.entries()) {
      const error = answers.refusal(result, first + i)
      if (error === undefined) continue
      failures.set(first + i, error)
      results[i] = undefined
    }
    return undefined
  }

  /** @param {number} index @param {unknown} cause */
  #failure(index, cause) {
    return failureOf(cause, this.#worker, this.#attempt + 1, this.#tries.get(index))
  }

  /** Nobody wants the rest: only that it has ended is of interest. */
  #giveUp() {
    this.#port.failed(this.id, this.#taken[BLOCKS], '{}')
    return false
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
    return this.#lease.attemptAt(this.index)
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
