'use strict'

// The options of a durable consumer.

const StreamError = require('../core/stream-error')
const { isPosition } = require('../client/position')

const LONGEST_NAME = 128
const MOST_AT_ONCE = 1000
// Longest delay of a Node.js timer.
const LONGEST_DELAY = 0x7fffffff

const DEFAULTS = Object.freeze({
  from: 'latest',
  concurrency: 1,
  ackTimeout: 30 * 1000,
  maxDeliveries: 5,
  retryDelay: 1000,
  deadLetter: undefined,
})

/**
 * @param {string} name
 * @param {any} given
 * @param {any} handler
 * @returns {typeof DEFAULTS & { channel: string }}
 * @throws {StreamError} for what makes no sense
 */
function consumeOptions(name, given, handler) {
  need(isText(name) && name.length <= LONGEST_NAME, `A name has 1 to ${LONGEST_NAME} characters`)
  need(typeof given === 'object' && given !== null, 'The options must be an object')
  need(typeof handler === 'function', 'The handler must be a function')
  const options = { ...DEFAULTS }
  for (const [key, value] of Object.entries(given)) if (value !== undefined) options[key] = value
  const { channel, deadLetter, from } = /** @type {any} */ (options)
  need(isText(channel), 'The channel must be a name')
  need(isCount(options.concurrency, MOST_AT_ONCE), `concurrency is from 1 to ${MOST_AT_ONCE}`)
  need(isCount(options.maxDeliveries, Infinity), 'maxDeliveries is a whole number, at least 1')
  need(
    isDelay(options.ackTimeout) && options.ackTimeout > 0,
    'ackTimeout is a number of ms above 0',
  )
  need(isDelay(options.retryDelay), 'retryDelay is a number of ms')
  need(deadLetter === undefined || isText(deadLetter), 'deadLetter is the name of a channel')
  need(deadLetter !== channel, 'A channel cannot be its own deadLetter')
  if (from !== 'latest' && from !== 'earliest' && !isPosition(from)) {
    throw new StreamError("from is 'latest', 'earliest' or a position", 'ERR_BAD_POSITION')
  }
  return /** @type {any} */ (options)
}

function need(truth, message) {
  if (!truth) throw new StreamError(message, 'ERR_BAD_REQUEST')
}

const isText = (value) => typeof value === 'string' && value !== ''
const isCount = (value, most) => Number.isSafeInteger(value) && value >= 1 && value <= most
const isDelay = (value) => typeof value === 'number' && value >= 0 && value <= LONGEST_DELAY

module.exports = { consumeOptions }
