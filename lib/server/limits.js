'use strict'

// The options of the data plane: threads, and what a connection may leave unsent.

const os = require('os')

// More threads than this rarely help: set `ioThreads` where they do.
const MOST_DEFAULT_THREADS = 8
const MOST_THREADS = 64

const POLICIES = ['close', 'drop']

/** What applies where an option is not given. */
const DEFAULTS = Object.freeze({
  maxBackpressure: 16 * 1024 * 1024,
  backpressurePolicy: 'close',
  ioThreads: undefined,
  flushDelay: 0,
  maxMemory: undefined,
})

/**
 * Says what is wrong with an option.
 * @returns {string | undefined}
 */
function complaint(options) {
  const { maxBackpressure, backpressurePolicy, ioThreads, flushDelay, maxMemory } = options
  if (typeof maxBackpressure !== 'number' || !(maxBackpressure >= 0)) {
    return 'The maxBackpressure option must be a number of bytes, or 0 for no limit'
  }
  if (!POLICIES.includes(backpressurePolicy)) {
    return `The backpressurePolicy option must be one of: ${POLICIES.join(', ')}`
  }
  if (ioThreads !== undefined && !isCount(ioThreads, MOST_THREADS)) {
    return `The ioThreads option must be a whole number from 1 to ${MOST_THREADS}`
  }
  if (typeof flushDelay !== 'number' || !(flushDelay >= 0)) {
    return 'The flushDelay option must be a number of milliseconds'
  }
  if (maxMemory !== undefined && (typeof maxMemory !== 'number' || !(maxMemory >= 0))) {
    return 'The maxMemory option must be a number of bytes, or 0 for no limit'
  }
  return undefined
}

function isCount(value, most) {
  return Number.isInteger(value) && value >= 1 && value <= most
}

/** Bytes of memory this process may use: those of the machine, or of its container. */
function available() {
  const constrained = process.constrainedMemory ? process.constrainedMemory() : 0
  // Without a constraint it is 0, or more than there is.
  return constrained > 0 ? Math.min(constrained, os.totalmem()) : os.totalmem()
}

/** What the core is to keep to. */
function nativeLimits(options, webSocket) {
  return {
    maxPayload: Math.max(0, Number(webSocket.maxPayload) || 0),
    maxBackpressure: options.maxBackpressure,
    dropWhenFull: options.backpressurePolicy === 'drop',
    ioThreads: options.ioThreads || Math.min(os.availableParallelism(), MOST_DEFAULT_THREADS),
    flushDelay: options.flushDelay,
    maxMemory: options.maxMemory === undefined ? available() / 2 : options.maxMemory,
  }
}

module.exports = { DEFAULTS, complaint, nativeLimits }
