'use strict'

// The worker's side of parallel work: takes chunks from the queue, runs them, answers.

const { performance } = require('node:perf_hooks')
const { NetworkClusterError } = require('../core/network-cluster-error')
const { compile } = require('../functions/compile')
const { own } = require('./errors.js')
const Lease = require('./lease.js')
const { Scopes } = require('./scopes.js')

/** Chunks of async functions a worker has under way. */
const SLOTS = 16
/** So long a worker goes on without looking after timers and messages, in ms. */
const TURN = 50
/** What functions are called with, by the kind of job; other kinds call them with an item. */
const USES = { reduce: 'reduce', call: 'call' }
/** Functions, and descriptions of jobs, that a worker remembers. */
const MOST_REMEMBERED = 1000

/** @typedef {import('./lease').Port} Port */
/** @typedef {import('./job').JobTold} JobTold */
/** @typedef {InstanceType<typeof import('../functions/runner').Runner>} Runner */

/**
 * @typedef {object} OwnFunctions
 * @property {(name: string) => boolean} has
 * @property {(name: string, kind: import('./job').Kind) => Runner} runner
 */

class WorkerLoop {
  #port
  #id
  #slots
  #functions
  #codeCache
  #scopes
  /** @type {Map<number, Lease>} under way, by lease */
  #leases = new Map()
  /** @type {Map<string, any>} by the function's hash: a promise while it is being asked for */
  #descriptions = new Map()
  /** @type {Map<string, JobTold>} by its text */
  #told = new Map()
  /** @type {Lease | undefined} what waits for its function or its scope; nothing is taken meanwhile */
  #preparing
  #taking = false
  /** @type {NodeJS.Immediate | undefined} */
  #later
  #closed = false

  /**
   * @param {Port} port whose wake is to call `wake()`
   * @param {object} options
   * @param {string} options.id the worker's
   * @param {number} [options.slots] chunks of async functions under way at once, 16 by default
   * @param {OwnFunctions} [options.functions] that the worker brought itself
   * @param {import('../functions').CodeCache} [options.codeCache] for what the worker is sent from its
   *   own process only
   * @param {import('./scopes').OpenScope} [options.openScope] by default opens memories in this process
   */
  constructor(port, { id, slots = SLOTS, functions, codeCache, openScope }) {
    this.#port = port
    this.#id = id
    this.#slots = slots
    this.#functions = functions
    this.#codeCache = codeCache
    this.#scopes = new Scopes(openScope)
    this.#takeLater()
  }

  /** There may be something to take, or to cancel. Never throws. */
  wake() {
    if (this.#closed) return
    for (const lease of this.#port.cancelled()) this.#leases.get(lease)?.cancel()
    this.#take()
  }

  /** Ends it: what is under way is given up, its signals are aborted. Repeatable. */
  close() {
    if (this.#closed) return
    this.#closed = true
    clearImmediate(this.#later)
    for (const lease of this.#leases.values()) lease.cancel()
    this.#leases.clear()
    this.#scopes.close()
    this.#port.close()
  }

  /** Until there is nothing. Others get a turn behind an async function, or after a while. */
  #take() {
    if (this.#taking || this.#later !== undefined) return
    this.#taking = true
    try {
      const until = performance.now() + TURN
      while (!this.#closed && this.#leases.size < this.#slots && this.#preparing === undefined) {
        const taken = this.#port.take()
        if (taken === null) return
        if (this.#begin(taken) || performance.now() > until) return this.#takeLater()
      }
    } finally {
      this.#taking = false
    }
  }

  #takeLater() {
    this.#later ??= setImmediate(() => {
      this.#later = undefined
      this.wake()
    })
  }

  /**
   * @param {any[]} taken
   * @returns {boolean} whether it goes on after this
   */
  #begin(taken) {
    const lease = new Lease(this.#port, this.#id, taken, () => this.#prepared(lease))
    const running = this.#run(lease, taken)
    if (running === undefined) return false
    this.#leases.set(lease.id, lease)
    // What it does once it is prepared may take long, while others have nothing to do.
    if (!lease.begun) this.#preparing = lease
    running.then(() => {
      this.#leases.delete(lease.id)
      if (this.#preparing === lease) this.#preparing = undefined
      // Not at once, so that one lease behind the other does not keep timers waiting.
      if (!this.#closed) this.#takeLater()
    })
    return true
  }

  /** The function of a lease is about to be called. @param {Lease} lease */
  #prepared(lease) {
    if (this.#preparing !== lease) return
    this.#preparing = undefined
    if (!this.#closed) this.#takeLater()
  }

  /**
   * @param {Lease} lease
   * @param {any[]} taken
   * @returns {Promise<void> | undefined} undefined if it is over already
   */
  #run(lease, [, , , hash, json]) {
    try {
      const told = this.#remembered(this.#told, json, () => JSON.parse(json))
      const known = this.#description(hash)
      if (!(known instanceof Promise)) return lease.run(this.#work(told, known))
      return known.then(
        (description) => this.#safely(lease, () => lease.run(this.#work(told, description))),
        (error) => lease.fail(error),
      )
    } catch (error) {
      lease.fail(error)
      return undefined
    }
  }

  /** @param {Lease} lease @param {() => any} run */
  #safely(lease, run) {
    try {
      return run()
    } catch (error) {
      return lease.fail(error)
    }
  }

  /** @param {string} hash */
  #description(hash) {
    const known = this.#descriptions.get(hash)
    if (known !== undefined) return known
    if (this.#functions?.has(hash)) return { hash }
    const json = this.#port.function(hash)
    if (!(json instanceof Promise)) return this.#described(hash, json)
    const asked = json.then((text) => this.#described(hash, text))
    this.#descriptions.set(hash, asked)
    asked.catch(() => this.#descriptions.delete(hash))
    return asked
  }

  /**
   * @param {string} hash
   * @param {string | null} json
   */
  #described(hash, json) {
    if (json === null) {
      throw own(new NetworkClusterError('ERR_NC_CODE_REFUSED', `there is no function ${hash}`))
    }
    const { source, ...rest } = JSON.parse(json)
    const description = { hash, code: source, ...rest }
    remember(this.#descriptions, hash, description)
    return description
  }

  /**
   * @param {JobTold} told
   * @param {any} description
   * @returns {import('./lease').Work}
   */
  #work(told, description) {
    const runner = this.#runner(told, description)
    const memory = told.memory === null ? undefined : this.#scopes.get(told.memory)
    return { told, runner, scope: memory?.scope, values: () => memory?.read(runner.keys) ?? null }
  }

  /**
   * @param {JobTold} told
   * @param {any} description
   */
  #runner(told, description) {
    const { hash } = description
    if (this.#functions?.has(hash)) return this.#functions.runner(hash, told.kind)
    return compile({ ...description, uses: USES[told.kind] ?? 'item' }, told.kind, {
      reads: told.reads,
      codeCache: this.#codeCache,
    })
  }

  /**
   * @template T
   * @param {Map<string, T>} table
   * @param {string} key
   * @param {() => T} make
   * @returns {T}
   */
  #remembered(table, key, make) {
    const known = table.get(key)
    if (known !== undefined) return known
    const made = make()
    remember(table, key, made)
    return made
  }
}

/** @param {Map<string, any>} table @param {string} key @param {any} value */
function remember(table, key, value) {
  if (table.size >= MOST_REMEMBERED) table.clear()
  table.set(key, value)
}

module.exports = { WorkerLoop, SLOTS }
