'use strict'

// What a worker answers for items, and how it is read where it arrives.

const { NetworkClusterError } = require('../core/network-cluster-error')
const ItemError = require('../functions/item-error')
const { encode, encodeItems, decodeItems, tags } = require('../values/index.js')
const { own } = require('./errors.js')

/** @typedef {import('./job').Kind} Kind */
/** @typedef {{ tag: number, data: Uint8Array | Float64Array | string | undefined }} Answer */

/** The answer where there is nothing to say. */
const NOTHING = Object.freeze({ tag: tags.UNDEFINED, data: undefined })

/**
 * @param {Kind} kind
 * @param {any} results what a runner of this kind gives
 * @param {number} first place of the first item
 * @returns {Answer}
 * @throws {ItemError} ERR_NC_UNSERIALIZABLE_RESULT
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
 * @returns {Answer}
 * @throws {ItemError} ERR_NC_UNSERIALIZABLE_RESULT
 */
function sendable(results, first, flat) {
  try {
    return encodeItems(results)
  } catch (cause) {
    const at = flat ? 0 : /** @type {any[]} */ (results).findIndex((result) => unsendable(result))
    if (!flat && at >= 0) throw new ItemError(first + at, refusal(results[at], first + at))
    const { message } = /** @type {Error} */ (cause)
    const whose = flat ? `one of the items from ${first} on` : `the items from ${first} on`
    throw new ItemError(first, unserializable(whose, message))
  }
}

/**
 * @param {unknown} result
 * @param {number} index of its item
 * @returns {Error | undefined} why the result cannot be sent, if it cannot
 */
function refusal(result, index) {
  const reason = unsendable(result)
  return reason === undefined ? undefined : unserializable(`item ${index}`, reason)
}

/** @param {string} whose @param {string} reason */
function unserializable(whose, reason) {
  const message = `the result of ${whose} cannot be sent: ${reason}`
  return own(new NetworkClusterError('ERR_NC_UNSERIALIZABLE_RESULT', message))
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

/**
 * Results some of which are missing, with what went wrong. Any other answer is a list, or nothing.
 * @param {any} results
 * @param {(string | number)[][]} failures index and `Failure` as JSON of each
 * @param {number} first
 * @returns {Answer}
 */
function collected(results, failures, first) {
  if (results !== undefined) sendable(Array.from(results), first, false)
  const data = encode({ results, failures })
  return { tag: encode.tag, data: /** @type {string | Uint8Array} */ (data) }
}

/**
 * @param {number} tag
 * @param {any} data
 * @returns {{ results: any, failures: [number, string][] | undefined }}
 */
function read(tag, data) {
  const results = decodeItems(tag, data)
  const isWhole = results === undefined || Array.isArray(results) || ArrayBuffer.isView(results)
  return isWhole ? { results, failures: undefined } : /** @type {any} */ (results)
}

module.exports = { answer, collected, read, refusal, sendable }
