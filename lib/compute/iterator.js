'use strict'

// Runs a function for each item of a source, in workers.

const { NetworkClusterError } = require('../core/network-cluster-error')
const { shown } = require('./options.js')
const { assertMemory } = require('./scopes.js')
const { assertIterable } = require('./source.js')
const { streamTask } = require('./stream.js')
const { makeTask, reduceTask, runTask } = require('./task.js')

/** @typedef {import('../../types/iterator').MapOptions} MapOptions */
/** @typedef {{ _compute: () => import('./job').Compute, _assertOpen?: () => void }} Manager */

class ParallelIterator {
  #manager
  #source
  /** @type {any} */
  #memory

  /**
   * @param {() => Manager} manager
   * @param {any} source an array, an iterable or an async iterable: gone through anew by each method
   * @throws {NetworkClusterError} ERR_NC_NOT_ITERABLE
   */
  constructor(manager, source) {
    assertIterable(source)
    this.#manager = manager
    this.#source = source
  }

  /**
   * What `scope` is in functions from now on.
   * @param {any} memory a SharedMemory
   * @returns {this}
   * @throws {NetworkClusterError} ERR_NC_INVALID_ARG if it is none
   */
  useScope(memory) {
    assertMemory(memory)
    this.#memory = memory
    return this
  }

  /**
   * The function's results, in the order of the items unless `ordered` is false.
   * @param {((item: any, scope: any, ctx: any) => any) | string} fn
   * @param {MapOptions} [options]
   * @returns {Promise<any[]>}
   * @throws {NetworkClusterError} a TaskError if the function throws; else see the codes
   */
  async map(fn, options) {
    return runTask(this.#task('map', fn, options))
  }

  /**
   * The items for which the function gives something true: themselves, not copies.
   * @param {((item: any, scope: any, ctx: any) => any) | string} fn
   * @param {MapOptions} [options]
   * @returns {Promise<any[]>}
   */
  async filter(fn, options) {
    return runTask(this.#task('filter', fn, options))
  }

  /**
   * What the function gives for each item, one behind the other.
   * @param {((item: any, scope: any, ctx: any) => any) | string} fn
   * @param {MapOptions} [options]
   * @returns {Promise<any[]>}
   */
  async flatMap(fn, options) {
    return runTask(this.#task('flatMap', fn, options))
  }

  /**
   * @param {((item: any, scope: any, ctx: any) => any) | string} fn
   * @param {MapOptions} [options]
   * @returns {Promise<void>}
   */
  async forEach(fn, options) {
    await runTask(this.#task('forEach', fn, options))
  }

  /**
   * Everything combined into one value.
   * @param {((a: any, b: any, scope: any) => any) | string} fn associative: workers combine parts, and
   *   it combines those
   * @param {MapOptions & { initial?: any }} [options]
   * @returns {Promise<any>}
   * @throws {NetworkClusterError} ERR_NC_INVALID_ARG if there are no items and no `initial`
   */
  async reduce(fn, options) {
    return reduceTask(this.#task('reduce', fn, options))
  }

  /**
   * Results as they come. Nothing begins before the first is asked for.
   * @param {((item: any, scope: any, ctx: any) => any) | string} fn
   * @param {MapOptions} [options]
   * @returns {AsyncIterableIterator<any>}
   * @throws {NetworkClusterError} for options and functions that make no sense
   */
  stream(fn, options) {
    return streamTask(this.#task('stream', fn, options))
  }

  /** The items. */
  async *[Symbol.asyncIterator]() {
    yield* this.#source
  }

  /** @param {string} method @param {unknown} fn @param {unknown} given */
  #task(method, fn, given) {
    const manager = this.#manager()
    // Also what runs inline ends with its manager.
    manager._assertOpen?.()
    const compute = () => manager._compute()
    return makeTask({ method, fn, given, memory: this.#memory, source: this.#source, compute })
  }
}

/**
 * `new IteratorClass(manager)` is a class whose work that manager's workers do.
 * @class
 * @param {Manager} [manager] the default one, if none is given
 * @throws {NetworkClusterError} ERR_NC_INVALID_ARG
 */
function IteratorClass(manager) {
  if (new.target === undefined) {
    throw new TypeError("Class constructor IteratorClass cannot be invoked without 'new'")
  }
  if (manager !== undefined && typeof manager?._compute !== 'function') {
    throw new NetworkClusterError(
      'ERR_NC_INVALID_ARG',
      `new IteratorClass(manager) needs a Manager, not ${shown(manager)}`,
    )
  }
  const of = () => manager ?? /** @type {any} */ (require('../../index.js')).ScalabilityManager
  return class Iterator extends ParallelIterator {
    /** @param {any} source */
    constructor(source) {
      super(of, source)
    }
  }
}

module.exports = { IteratorClass, ParallelIterator }
