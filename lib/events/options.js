'use strict'

const { NetworkClusterError } = require('../core/network-cluster-error')

/** Overflow policies, in the order of their numbers in the core. */
const OVERFLOW = ['drop-oldest', 'drop-newest', 'error']
const KNOWN = new Set(['maxQueue', 'overflow', 'token', 'host', 'connectTimeout'])
const MAX_QUEUE = 2 ** 32 - 1
const MAX_NAME_BYTES = 1024

/**
 * @typedef {object} EmitterOptions
 * @property {number} maxQueue
 * @property {number} overflow the number of the policy
 * @property {string | undefined} token
 * @property {'auto' | 'never' | undefined} host
 * @property {number | undefined} connectTimeout
 */

/**
 * @param {unknown} options
 * @returns {EmitterOptions}
 * @throws {NetworkClusterError} ERR_NC_INVALID_ARG
 */
function readOptions(options = {}) {
  if (typeof options !== 'object' || options === null) throw invalid('options must be an object')
  const unknown = Object.keys(options).find((name) => !KNOWN.has(name))
  if (unknown !== undefined) throw invalid(`unknown option ${JSON.stringify(unknown)}`)
  const { maxQueue = 65_536, overflow = 'drop-oldest', ...link } = /** @type {any} */ (options)
  if (!Number.isInteger(maxQueue) || maxQueue < 1 || maxQueue > MAX_QUEUE) {
    throw invalid(`maxQueue must be an integer from 1 to ${MAX_QUEUE}`)
  }
  if (!OVERFLOW.includes(overflow)) {
    throw invalid(`overflow must be one of ${OVERFLOW.map((it) => `'${it}'`).join(', ')}`)
  }
  return { ...link, maxQueue, overflow: OVERFLOW.indexOf(overflow) }
}

/**
 * @param {unknown} name
 * @returns {string}
 * @throws {NetworkClusterError} ERR_NC_INVALID_ARG
 */
function checkName(name) {
  if (typeof name !== 'string' || name === '') {
    throw invalid('the name of an event must be a string that is not empty')
  }
  if (name.length * 3 > MAX_NAME_BYTES && Buffer.byteLength(name) > MAX_NAME_BYTES) {
    throw invalid(`the name of an event must have at most ${MAX_NAME_BYTES} bytes`)
  }
  // As UTF-8 it would become another name, to which nobody listens.
  if (!(/** @type {any} */ (name).isWellFormed())) {
    throw invalid('the name of an event contains half a surrogate pair')
  }
  return name
}

/**
 * @param {unknown} listener
 * @throws {NetworkClusterError} ERR_NC_INVALID_ARG
 */
function checkListener(listener) {
  if (typeof listener !== 'function') throw invalid('a listener must be a function')
}

/** @param {string} message */
function invalid(message) {
  return new NetworkClusterError('ERR_NC_INVALID_ARG', message)
}

module.exports = { readOptions, checkName, checkListener }
