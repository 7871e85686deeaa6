'use strict'

// What is asked of a memory, checked before anything is done or sent.

const { NetworkClusterError } = require('../core/network-cluster-error.js')
const { NONE, isVersion } = require('./version.js')

/** Bytes of UTF-8. */
const MAX_KEY = 1024
/** Of this length no key has more bytes. */
const SHORT = Math.floor(MAX_KEY / 3)
/** Keys of one commit: it is what the wire can say. */
const MAX_KEYS = 0xffff
/** Milliseconds: a century. */
const MAX_TTL = 100 * 365.25 * 86_400_000

/**
 * @param {import('../core/network-cluster-error.js').ErrorCode} code
 * @param {string} message
 */
function error(code, message) {
  return new NetworkClusterError(code, message)
}

/** @param {string} message */
function badArgument(message) {
  return error('ERR_NC_INVALID_ARG', message)
}

function closed() {
  return error('ERR_NC_CLOSED', 'the memory is closed')
}

/**
 * @param {unknown} key
 * @returns {string} the key
 */
function checkKey(key) {
  if (typeof key !== 'string')
    throw error('ERR_NC_INVALID_KEY', `a key is a string, not ${kind(key)}`)
  if (key.length === 0) throw error('ERR_NC_INVALID_KEY', 'a key is not empty')
  if (key.length > SHORT && Buffer.byteLength(key) > MAX_KEY) {
    throw error('ERR_NC_INVALID_KEY', `a key has at most ${MAX_KEY} bytes as UTF-8`)
  }
  if (!wellFormed(key)) throw error('ERR_NC_INVALID_KEY', 'a key contains half a surrogate pair')
  return key
}

/** @param {string} text as UTF-8, what is not would become another key */
function wellFormed(text) {
  // Not in the types of ES2023.
  return /** @type {any} */ (text).isWellFormed()
}

/**
 * @param {unknown} keys
 * @returns {string[]} a copy
 */
function checkKeys(keys) {
  if (!Array.isArray(keys)) throw badArgument(`keys are an array, not ${kind(keys)}`)
  if (keys.length > MAX_KEYS) throw badArgument(`at most ${MAX_KEYS} keys at once`)
  return keys.map(checkKey)
}

/**
 * @param {object} values by key
 * @returns {string[]} the keys
 */
function checkValues(values) {
  if (Array.isArray(values) || values instanceof Map || values instanceof Set) {
    const what = Array.isArray(values) ? 'an array' : values instanceof Map ? 'a Map' : 'a Set'
    throw badArgument(`values are an object with keys, not ${what}`)
  }
  return Object.keys(values).map(checkKey)
}

/**
 * @param {unknown} prefix
 * @returns {string}
 */
function checkPrefix(prefix) {
  if (typeof prefix !== 'string') throw badArgument(`a prefix is a string, not ${kind(prefix)}`)
  if (!wellFormed(prefix) || Buffer.byteLength(prefix) > MAX_KEY) {
    throw error('ERR_NC_INVALID_KEY', 'no key can begin with that prefix')
  }
  return prefix
}

/**
 * @param {unknown} version
 * @param {string} name
 * @returns {string}
 */
function checkVersion(version, name) {
  if (version === undefined) return NONE
  if (!isVersion(version)) throw badArgument(`${name} is a version of 16 hex digits`)
  return /** @type {string} */ (version)
}

/** @param {unknown} by */
function checkNumber(by) {
  if (typeof by !== 'number' || !Number.isFinite(by)) {
    throw badArgument('a number is incremented by a finite number')
  }
}

/**
 * @param {unknown} value
 * @param {string} name
 * @param {number} [most]
 */
function checkMilliseconds(value, name, most = MAX_TTL) {
  if (typeof value !== 'number' || !(value >= 1 && value <= most)) {
    throw badArgument(`${name} is a number of milliseconds from 1 to ${most}`)
  }
}

/** @param {unknown} fn */
function checkFunction(fn) {
  if (typeof fn !== 'function') {
    throw error('ERR_NC_NOT_A_FUNCTION', `a function is needed, not ${kind(fn)}`)
  }
}

/** @param {unknown} signal */
function checkSignal(signal) {
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw badArgument('signal is an AbortSignal')
  }
}

/**
 * Options by name: a name that means nothing is most likely misspelt.
 * @template T
 * @param {T | undefined} options
 * @param {readonly string[]} names
 * @returns {T}
 */
function checkOptions(options, names) {
  if (options === undefined) return /** @type {T} */ ({})
  if (typeof options !== 'object' || options === null) {
    throw badArgument(`options are an object, not ${kind(options)}`)
  }
  for (const name of Object.keys(options)) {
    if (!names.includes(name)) throw badArgument(`there is no option ${JSON.stringify(name)}`)
  }
  return options
}

const SET_OPTIONS = ['ttl', 'ifAbsent', 'ifVersion', 'signal']

/**
 * @param {import('../../types/shared-memory').SetOptions | undefined} options
 * @returns {{ ttl: number, expected: string | undefined, signal: AbortSignal | undefined }} `ttl`: 0
 *   for none; `expected`: the version that is to be replaced
 */
function checkSetOptions(options) {
  const { ttl, ifAbsent = false, ifVersion, signal } = checkOptions(options, SET_OPTIONS)
  if (ttl !== undefined) checkMilliseconds(ttl, 'ttl')
  if (typeof ifAbsent !== 'boolean') throw badArgument('ifAbsent is true or false')
  if (ifAbsent && ifVersion !== undefined)
    throw badArgument('ifAbsent and ifVersion exclude each other')
  checkSignal(signal)
  const expected = ifVersion === undefined ? undefined : checkVersion(ifVersion, 'ifVersion')
  return { ttl: ttl ?? 0, expected: ifAbsent ? NONE : expected, signal }
}

/** @param {unknown} value */
function kind(value) {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'an array' : typeof value
}

module.exports = {
  MAX_KEYS,
  error,
  badArgument,
  closed,
  checkKey,
  checkKeys,
  checkPrefix,
  checkVersion,
  checkNumber,
  checkMilliseconds,
  checkFunction,
  checkSignal,
  checkOptions,
  checkSetOptions,
  checkValues,
}
