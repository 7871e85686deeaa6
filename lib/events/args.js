'use strict'

const { NetworkClusterError } = require('../core/network-cluster-error.js')
const { decode, encode, tags } = require('../values/index.js')
const shortText = require('./short.js')

/** As much as a value may have; the same is in src/engine/bus/mod.rs. Text counts as two bytes a unit. */
const MAX_BYTES = 256 * 1024 * 1024

/**
 * What an event is emitted with, as data whose tag is in `encode.tag`.
 * @param {unknown[]} args
 * @returns {string | Uint8Array}
 * @throws {NetworkClusterError} ERR_NC_INVALID_VALUE, ERR_NC_VALUE_TOO_LARGE
 */
function encodeArgs(args) {
  const text = shortText(args)
  if (text !== undefined) {
    encode.tag = tags.JSON
    return text
  }
  const data = /** @type {string | Uint8Array} */ (encode(args))
  const bytes = typeof data === 'string' ? 2 * data.length : data.length
  if (bytes <= MAX_BYTES) return data
  throw new NetworkClusterError('ERR_NC_VALUE_TOO_LARGE', 'an event of more than 256 MiB')
}

/**
 * What an event was emitted with. Another process can say that anything is: `null` for what is no list.
 * @param {number} tag
 * @param {import('../values/index.js').Data} data
 * @returns {unknown[] | null}
 */
function argsOf(tag, data) {
  try {
    const args = decode(tag, data)
    return Array.isArray(args) ? args : null
  } catch {
    return null
  }
}

module.exports = { argsOf, encodeArgs }
