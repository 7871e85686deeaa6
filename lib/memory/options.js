'use strict'

const path = require('node:path')
const { badArgument, checkOptions, checkMilliseconds } = require('./check.js')

const NAMES = [
  'serializer',
  'nearCache',
  'host',
  'connectTimeout',
  'token',
  'maxBytes',
  'maxValueBytes',
  'durable',
]
const DEFAULT_ENTRIES = 10_000
const MAX_VALUE = 256 * 1024 * 1024

/**
 * @typedef {object} MemoryOptions how a thread uses a memory
 * @property {boolean} json objects are kept as JSON text whatever they contain
 * @property {number} nearEntries values that are kept near; 0: none
 * @property {boolean} nearObjects objects too
 * @property {{ maxBytes?: number, maxValueBytes?: number, directory?: string }} limits
 * @property {{ host?: 'auto' | 'never', connectTimeout?: number, token?: string }} link
 */

/**
 * @param {import('../../types/shared-memory').SharedMemoryOptions} [options]
 * @returns {MemoryOptions}
 */
function memoryOptions(options) {
  const all = checkOptions(options, NAMES)
  const {
    serializer = 'structured',
    nearCache,
    maxBytes,
    maxValueBytes,
    durable,
    host,
    connectTimeout,
    token,
  } = all
  if (serializer !== 'structured' && serializer !== 'json') {
    throw badArgument("serializer is 'structured' or 'json'")
  }
  if (host !== undefined && host !== 'auto' && host !== 'never')
    throw badArgument("host is 'auto' or 'never'")
  if (connectTimeout !== undefined) checkMilliseconds(connectTimeout, 'connectTimeout', 2 ** 31 - 1)
  if (token !== undefined && (typeof token !== 'string' || token === '')) {
    throw badArgument('token is a string that is not empty')
  }
  const limits = {}
  if (maxBytes !== undefined) limits.maxBytes = bytes(maxBytes, 'maxBytes', Number.MAX_SAFE_INTEGER)
  if (maxValueBytes !== undefined)
    limits.maxValueBytes = bytes(maxValueBytes, 'maxValueBytes', MAX_VALUE)
  if (durable !== undefined) limits.directory = directory(durable)
  const link = {}
  if (host !== undefined) link.host = host
  if (connectTimeout !== undefined) link.connectTimeout = connectTimeout
  if (token !== undefined) link.token = token
  return { json: serializer === 'json', ...near(nearCache), limits, link }
}

/** @param {unknown} nearCache */
function near(nearCache) {
  if (nearCache === undefined) return { nearEntries: DEFAULT_ENTRIES, nearObjects: false }
  if (typeof nearCache === 'boolean') {
    return { nearEntries: nearCache ? DEFAULT_ENTRIES : 0, nearObjects: nearCache }
  }
  const { maxEntries = DEFAULT_ENTRIES } = checkOptions(
    /** @type {{ maxEntries?: number }} */ (nearCache),
    ['maxEntries'],
  )
  if (!Number.isInteger(maxEntries) || maxEntries < 1) {
    throw badArgument('nearCache.maxEntries is an integer above 0')
  }
  return { nearEntries: maxEntries, nearObjects: true }
}

/**
 * @param {unknown} value
 * @param {string} name
 * @param {number} most
 */
function bytes(value, name, most) {
  if (!Number.isInteger(value) || Number(value) < 1 || Number(value) > most) {
    throw badArgument(`${name} is an integer from 1 to ${most}`)
  }
  return Number(value)
}

/** @param {{ directory: string }} durable */
function directory(durable) {
  const { directory: name } = checkOptions(durable, ['directory'])
  if (typeof name !== 'string' || name === '' || name.includes('\0')) {
    throw badArgument('durable.directory is a path')
  }
  // It may be opened later, when this process takes the address over.
  return path.resolve(name)
}

module.exports = { memoryOptions }
