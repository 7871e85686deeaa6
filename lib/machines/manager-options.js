'use strict'

const { availableParallelism } = require('node:os')
const { parse } = require('../link/url')
const { check, invalid, isObject } = require('./options')
const { integer, oneOf, boolean, url, token, callback, listOf } = require('./options')

/** Most workers of one manager. */
const MOST = 4096

/** Items that may wait, with `maxQueue: 'auto'`. */
const AUTO_QUEUE = 16 * 1024 * 1024

/** Longest time that timers take, in ms. */
const LONGEST = 2 ** 31 - 1

const LIMITS = [
  'maxOldGenerationSizeMb',
  'maxYoungGenerationSizeMb',
  'codeRangeSizeMb',
  'stackSizeMb',
]

/** @type {import('./options').Rule} */
const resourceLimits = {
  holds: (value) =>
    isObject(value) &&
    Object.entries(value).every(([name, size]) => LIMITS.includes(name) && Number(size) > 0),
  expected: `an object with positive numbers for any of ${LIMITS.join(', ')}`,
}

/** @type {import('./options').Rule} */
const maxQueue = {
  holds: (value) => value === 'auto' || (Number.isSafeInteger(value) && value >= 1),
  expected: "a positive integer or 'auto'",
  fallback: 'auto',
}

/** @type {import('./options').Rule} what browsers send as `Origin`, RFC 6454 section 6.1 */
const origin = {
  holds: (value) =>
    typeof value === 'string' && /^(null|[a-z][a-z0-9+.-]*:\/\/[^A-Z/?#]+)$/.test(value),
  expected: 'an origin as browsers send it, such as https://example.com',
}

const RULES = {
  minWorkers: integer(0, MOST, 0),
  maxWorkers: integer(0, MOST),
  workerType: oneOf(['thread', 'process', 'inline'], 'thread'),
  idleTimeout: integer(1, LONGEST, 30_000),
  resourceLimits,
  listen: url,
  acceptWorkers: boolean(),
  token,
  allowedOrigins: listOf(origin),
  waitForWorkers: integer(1, LONGEST, 30_000),
  verifyResults: integer(1, 15, 1),
  maxQueue,
  structure: oneOf(['nested', 'network', 'sharded'], 'nested'),
  shardKey: callback,
  leaseTime: integer(100, LONGEST, 30_000),
  retries: integer(0, 1000, 2),
}

/**
 * @param {unknown} given
 * @returns {any} the options of a Manager, complete
 */
function managerOptions(given) {
  const options = check('Manager', given, RULES)
  if (options.listen !== undefined) parse(options.listen, { anyPort: true })
  options.acceptWorkers ??= options.listen !== undefined
  if (options.acceptWorkers && options.listen === undefined) {
    throw invalid('Manager: acceptWorkers needs listen, where workers connect')
  }
  if (options.allowedOrigins !== undefined && options.token === undefined) {
    throw invalid('Manager: allowedOrigins needs a token: any page can reach a loopback address')
  }
  if (options.maxWorkers === 0 && !options.acceptWorkers) {
    throw invalid('Manager: maxWorkers must be at least 1 unless workers connect (acceptWorkers)')
  }
  const most = options.workerType === 'inline' ? 1 : availableParallelism()
  options.maxWorkers ??= Math.max(options.minWorkers, most)
  if (options.minWorkers > options.maxWorkers) {
    throw invalid(
      `Manager: minWorkers (${options.minWorkers}) must not exceed maxWorkers (${options.maxWorkers})`,
    )
  }
  if (options.maxQueue === 'auto') options.maxQueue = AUTO_QUEUE
  return options
}

/**
 * @param {unknown} given how many workers: a number, or the least and the most
 * @returns {{ min: number, max: number }}
 */
function scaleOptions(given) {
  const range = typeof given === 'number' ? { min: given, max: given } : given
  const checked = check('scale()', range, { min: integer(0, MOST), max: integer(0, MOST) })
  if (checked.min === undefined || checked.max === undefined) {
    throw invalid('scale(): a number of workers or { min, max } is needed')
  }
  if (checked.min > checked.max) throw invalid('scale(): min must not exceed max')
  return checked
}

module.exports = { managerOptions, scaleOptions }
