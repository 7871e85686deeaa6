'use strict'

// What a worker answers for items, and how it is read where it arrives.

const { NetworkClusterError } = require('../core/network-cluster-error')
const { encode, encodeItems, decodeItems, tags } = require('../values/index.js')
const { own } = require('./errors.js')

/** @typedef {import('./job').Kind} Kind */
/** @typedef {{ tag: number, data: Uint8Array | Float64Array | string }} Answer */

/** The answer where there is nothing to say. */
const NOTHING = Object.freeze({ tag: tags.UNDEFINED, data: '' })

/**
 * @param {Kind} kind
 * @param {any} results what a runner of this kind gives
 * @param {number} first place of the first item
 * @returns {Answer}
 * @throws {Placed} ERR_NC_UNSERIALIZABLE_RESULT
 */
function answer(kind, results, first) {
  switch (kind) {
    case 'forEach':
      return NOTHING
    case 'filter':
      return { tag: tags.BYTES, data: results }
    case 'reduce':
      return sendable([results], first, false)
    default:
      return sendable(results, first, kind === 'flatMap')
  }
}

/**
 * @param {any[] | Float64Array} results
 * @param {number} first
 * @param {boolean} flat whether one item may have given several results
 */
function sendable(results, first, flat) {
  try {
    return encodeItems(results)
  } catch (cause) {
    const at = /** @type {any[]} */ (results).findIndex((result) => unsendable(result))
    const reason = unsendable(results[at]) ?? String(cause)
    const item = flat ? `one of the items from ${first}` : `item ${first + at}`
    throw new Placed(
      flat ? first : first + Math.max(at, 0),
      own(
        new NetworkClusterError(
          'ERR_NC_UNSERIALIZABLE_RESULT',
          `the result of ${item} cannot be sent: ${reason}`,
        ),
      ),
    )
  }
}

/** @param {unknown} result @returns {string | undefined} why it cannot be sent */
function unsendable(result) {
  try {
    encode(result)
    return undefined
  } catch (error) {
    return /** @type {Error} */ (error).message
  }
}

/** Something that went wrong with an item. */
class Placed {
  /**
   * @param {number} index the item's
   * @param {unknown} cause
   */
  constructor(index, cause) {
    this.index = index
    this.cause = cause
  }
}

/**
 * A failure that is told as an item's result. What the items of any other answer gave is a list, or
 * no JSON at all.
 * @param {string} failure JSON of an object
 * @returns {Answer}
 */
const failedAnswer = (failure) => ({ tag: tags.JSON, data: failure })

/**
 * @param {number} tag
 * @param {any} data
 * @returns {string | undefined} the failure, if the answer is one
 */
function failureIn(tag, data) {
  if (tag !== tags.JSON && tag !== tags.JSON16) return undefined
  const value = decodeItems(tag, data)
  return Array.isArray(value) ? undefined : JSON.stringify(value)
}

module.exports = { answer, failedAnswer, failureIn, Placed, NOTHING }
