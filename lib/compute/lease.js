'use strict'

// A chunk of a job in a worker: its items are run and answered.

const { NetworkClusterError } = require('../core/network-cluster-error')
const { decodeItems, encodeItems, tags } = require('../values/index.js')
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
    if (this.#cancelled) return
    const { index, cause } = placed(error, this.#taken[BLOCKS])
    this.#port.failed(this.id, index, failureOf(cause, this.#worker, this.attempt))
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
      if (this.#cancelled) return undefined
      const [first, , tag, data] = this.#taken.slice(at, at + FIELDS)
      const running = this.#block(first, decodeItems(tag, data), at + FIELDS >= this.#taken.length)
      if (running === undefined) continue
      const next = at + FIELDS
      return running.then((goesOn) => (goesOn ? this.#blocks(next) : undefined))
    }
    return undefined
  }

  /**
   * @param {number} first
   * @param {any[] | Float64Array} items
   * @param {boolean} last whether the lease is over with it
   * @returns {Promise<boolean> | undefined} whether the lease goes on; undefined: it does
   */
  #block(first, items, last) {
    const { told, runner } = this.#work
    if (told.single || (runner.async && told.kind !== 'reduce')) {
      return this.#singly(first, items, last)
    }
    const results = this.#run(items, first)
    if (!(results instanceof Promise)) {
      this.#answer(first, items.length, results, last)
      return undefined
    }
    return results.then((settled) => {
      this.#answer(first, items.length, settled, last)
      return true
    })
  }

  /** @param {any[] | Float64Array} items @param {number} first */
  #run(items, first) {
    return this.#work.runner.run(items, first, this.#values, this.#work.scope, this.#contextOf)
  }

  /**
   * Each item on its own, some at once, so that one that fails does not undo others.
   * @param {number} first
   * @param {any[] | Float64Array} items
   * @param {boolean} last
   * @returns {Promise<boolean>}
   */
  async #singly(first, items, last) {
    const { told } = this.#work
    const outcomes = new Array(items.length)
    let next = 0
    let failed = false
    const one = async () => {
      while (next < items.length && !failed && !this.#cancelled) {
        const i = next++
        try {
          const results = await this.#run([items[i]], first + i)
          outcomes[i] = { ok: answers.encode(told.kind, results, first + i) }
        } catch (error) {
          outcomes[i] = { error }
          failed ||= !told.collect || this.#attempt < told.throwRetries
        }
      }
    }
    await Promise.all(Array.from({ length: Math.min(told.inFlight, items.length) }, one))
    if (this.#cancelled) return false
    return this.#tell(first, outcomes, failed, last)
  }

  /**
   * @param {number} first
   * @param {any[]} outcomes of items, undefined where one was not begun
   * @param {boolean} failed whether one ends the lease
   * @param {boolean} last
   */
  #tell(first, outcomes, failed, last) {
    for (const [i, outcome] of outcomes.entries()) {
      if (outcome === undefined) continue
      const isLast = last && !failed && i === outcomes.length - 1
      if ('ok' in outcome) this.#done(first + i, 1, isLast, outcome.ok)
      else if (!failed) this.#done(first + i, 1, isLast, this.#collected(first + i, outcome.error))
    }
    if (!failed) return true
    const at = outcomes.findIndex((outcome) => outcome !== undefined && 'error' in outcome)
    this.fail(new Placed(first + at, placed(outcomes[at].error, first + at).cause))
    return false
  }

  /** @param {number} index @param {unknown} error as the result of an item */
  #collected(index, error) {
    const { cause } = placed(error, index)
    return answers.collected(failureOf(cause, this.#worker, this.attempt))
  }

  /**
   * @param {number} first
   * @param {number} count
   * @param {any} results
   * @param {boolean} last
   */
  #answer(first, count, results, last) {
    if (this.#cancelled) return
    this.#done(first, count, last, answers.encode(this.#work.told.kind, results, first))
  }

  /**
   * @param {number} first
   * @param {number} count
   * @param {boolean} last
   * @param {{ tag: number, data: any }} answer
   */
  #done(first, count, last, { tag, data }) {
    this.#port.done(this.id, first, count, last, tag, data)
  }
}
