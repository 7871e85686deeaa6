'use strict'

// What is iterated over: a list, which is all there, or something that gives one item after another.

const { types } = require('node:util')
const { NetworkClusterError } = require('../core/network-cluster-error')
const { shown } = require('./options.js')

/**
 * @typedef {object} Source
 * @property {readonly unknown[] | Float64Array} [list] all items, or
 * @property {Pull} [pull] one after the other
 * @property {number} [size] how many, if that is known though they are pulled
 * @property {boolean} [plain] whether a list has only what need not be copied, once that is known
 */

/** @param {any} source */
function assertIterable(source) {
  if (source === null || source === undefined || !(isIterable(source) || isAsyncIterable(source))) {
    throw new NetworkClusterError(
      'ERR_NC_NOT_ITERABLE',
      `an array, an iterable or an async iterable was expected, not ${shown(source)}`,
    )
  }
}

/** @param {any} source */
const isIterable = (source) => typeof source[Symbol.iterator] === 'function'
/** @param {any} source */
const isAsyncIterable = (source) => typeof source[Symbol.asyncIterator] === 'function'

/**
 * @param {any} source
 * @returns {Source}
 */
function openSource(source) {
  if (Array.isArray(source) || types.isFloat64Array(source)) return { list: source }
  if (ArrayBuffer.isView(source) && !(source instanceof DataView)) {
    const numbers = /** @type {any} */ (source)
    return {
      list: typeof numbers[0] === 'bigint' ? Array.from(numbers) : Float64Array.from(numbers),
    }
  }
  if (source instanceof Set || source instanceof Map) return { list: Array.from(source) }
  return { pull: new Pull(source) }
}

/** Items one after the other. The source is not touched before the first is asked for. */
class Pull {
  #source
  /** @type {any} */
  #iterator
  #ended = false

  /** @param {any} source */
  constructor(source) {
    this.#source = source
    this.isAsync = isAsyncIterable(source)
  }

  /** Whether nothing more is to be had. */
  get ended() {
    return this.#ended
  }

  /**
   * @returns {any} an iterator's result, or a promise of it if `isAsync`
   */
  next() {
    try {
      this.#iterator ??= this.#open()
      const result = this.#iterator.next()
      if (!this.isAsync) return this.#seen(result)
      return Promise.resolve(result).then(
        (settled) => this.#seen(settled),
        (error) => this.#threw(error),
      )
    } catch (error) {
      return this.#threw(error)
    }
  }

  /** Tells the source that nobody wants the rest. Repeatable, never throws. */
  return() {
    if (this.#ended) return
    this.#ended = true
    try {
      const result = this.#iterator?.return?.()
      // What a source says when it is no longer wanted is of no interest.
      if (this.isAsync) Promise.resolve(result).catch(() => {})
    } catch {
      // The same.
    }
  }

  #open() {
    const iterator = this.#source[this.isAsync ? Symbol.asyncIterator : Symbol.iterator]()
    if (iterator !== null && (typeof iterator === 'object' || typeof iterator === 'function')) {
      return iterator
    }
    throw new TypeError(`Iterator ${String(iterator)} is not an object`)
  }

  /** @param {any} result */
  #seen(result) {
    if (typeof result !== 'object' || result === null) {
      this.#ended = true
      throw new TypeError(`Iterator result ${String(result)} is not an object`)
    }
    if (result.done) this.#ended = true
    return result
  }

  /**
   * @param {unknown} error
   * @returns {never}
   */
  #threw(error) {
    this.#ended = true
    throw error
  }
}

module.exports = { assertIterable, openSource, Pull }
