'use strict'

// Results of blocks of items, as they come, into what the methods give.

const { NetworkClusterError } = require('../core/network-cluster-error')
const answers = require('./answers.js')
const { errorOf } = require('./errors.js')

/** An array made with a larger length is a dictionary at first. */
const LARGEST_AT_ONCE = 1 << 25

/** @typedef {import('./job').Kind} Kind */
/** @typedef {InstanceType<typeof NetworkClusterError>} NcError */
/** @typedef {{ first: number, values: ArrayLike<unknown> }} Part */

/** Collects the results of a job, in the order of the items or as they come. */
class Results {
  #kind
  #ordered
  #itemAt
  /** @type {Part[]} */
  #parts = []
  /** @type {NcError[]} */
  #errors = []

  /**
   * @param {Kind} kind
   * @param {boolean} ordered
   * @param {(index: number) => unknown} itemAt for 'filter'; asked once for each item
   */
  constructor(kind, ordered, itemAt) {
    this.#kind = kind
    this.#ordered = ordered
    this.#itemAt = itemAt
  }

  /**
   * @param {number} first
   * @param {number} tag
   * @param {any} data
   */
  add(first, tag, data) {
    const { results, failures } = answers.read(tag, data)
    for (const [index, json] of failures ?? []) this.#errors.push(errorOf(index, json))
    this.addValues(first, results)
  }

  /**
   * @param {number} first
   * @param {any} results as runners give them; those of 'reduce' in a list
   */
  addValues(first, results) {
    if (results === undefined) return
    const values = this.#kind === 'filter' ? this.#chosen(first, results) : results
    this.#parts.push({ first, values })
  }

  /** @param {NcError} error of an item */
  addError(error) {
    this.#errors.push(error)
  }

  /**
   * @returns {any[]}
   * @throws {AggregateError} if items failed
   */
  finish() {
    if (this.#ordered) this.#parts.sort((a, b) => a.first - b.first)
    const results = joined(this.#parts)
    this.#parts = []
    if (this.#errors.length > 0) throw collectedErrors(this.#errors, results)
    return results
  }

  /** @param {number} first @param {Uint8Array} flags */
  #chosen(first, flags) {
    const values = []
    for (let i = 0; i < flags.length; i++) {
      const item = this.#itemAt(first + i)
      if (flags[i]) values.push(item)
    }
    return values
  }
}

/** @param {Part[]} parts */
function joined(parts) {
  if (parts.length === 1 && Array.isArray(parts[0].values)) return parts[0].values
  let length = 0
  for (const { values } of parts) length += values.length
  /** @type {unknown[]} */
  const all = []
  if (length <= LARGEST_AT_ONCE) all.length = length
  let at = 0
  for (const { values } of parts) {
    for (let i = 0; i < values.length; i++) all[at++] = values[i]
  }
  return all
}

/**
 * @param {NcError[]} errors
 * @param {unknown} results
 * @param {number} [count] how many failed, if the first errors only are known
 */
function collectedErrors(errors, results, count = errors.length) {
  errors.sort((a, b) => /** @type {any} */ (a).itemIndex - /** @type {any} */ (b).itemIndex)
  const items = count === 1 ? '1 item' : `${count} items`
  const error = new AggregateError(errors, `the function failed for ${items}`)
  return Object.assign(error, { code: 'ERR_NC_TASK_FAILED', results })
}

/** @returns {NcError} */
function nothingToReduce() {
  return new NetworkClusterError(
    'ERR_NC_INVALID_ARG',
    'reduce() of nothing gives nothing: say what it is with the option initial',
  )
}

module.exports = { Results, collectedErrors, nothingToReduce }
