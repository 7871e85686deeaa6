'use strict'

// The errors of shared memory, parallel work and machines: each has a stable `code` to match on.

/**
 * @typedef {'ERR_NC_INVALID_ARG' | 'ERR_NC_INVALID_URL' | 'ERR_NC_INVALID_KEY' | 'ERR_NC_INVALID_VALUE'
 *   | 'ERR_NC_VALUE_TOO_LARGE' | 'ERR_NC_NOT_A_FUNCTION' | 'ERR_NC_NOT_ITERABLE'
 *   | 'ERR_NC_FUNCTION_SOURCE' | 'ERR_NC_CAPTURED_VARIABLES' | 'ERR_NC_USES_THIS' | 'ERR_NC_NO_SCOPE'
 *   | 'ERR_NC_NO_WORKERS' | 'ERR_NC_QUEUE_FULL' | 'ERR_NC_TASK_FAILED' | 'ERR_NC_TASK_TIMEOUT'
 *   | 'ERR_NC_WORKER_LOST' | 'ERR_NC_WORKER_OUT_OF_MEMORY' | 'ERR_NC_UNSERIALIZABLE_RESULT'
 *   | 'ERR_NC_CONNECT' | 'ERR_NC_NOT_OWNER' | 'ERR_NC_CONFLICT' | 'ERR_NC_CODE_REFUSED'
 *   | 'ERR_NC_STORAGE' | 'ERR_NC_NOT_READY' | 'ERR_NC_CLOSED'} ErrorCode
 */

/**
 * @typedef {object} Captured a variable of the place where a function was written
 * @property {string} name
 * @property {number} line from 1, in the function's own text
 * @property {number} column from 1
 * @property {boolean} assigned whether the function writes to it
 */

/** Something was asked that cannot be done; `code` says what. */
class NetworkClusterError extends Error {
  /**
   * @param {ErrorCode} code
   * @param {string} message
   * @param {{ cause?: unknown }} [options]
   */
  constructor(code, message, options) {
    super(message, options)
    this.code = code
  }
}

/** A function uses variables that do not exist where it is to run. */
class CapturedVariablesError extends NetworkClusterError {
  /**
   * @param {string} message
   * @param {readonly Captured[]} captured
   */
  constructor(message, captured) {
    super('ERR_NC_CAPTURED_VARIABLES', message)
    this.captured = captured
  }
}

/** A function failed for an item; `cause` is what it threw. */
class TaskError extends NetworkClusterError {
  /**
   * @param {string} message
   * @param {object} details
   * @param {ErrorCode} [details.code] 'ERR_NC_TASK_FAILED' unless told
   * @param {number} details.itemIndex the item's place in what was iterated over
   * @param {string} details.workerId where it ran
   * @param {number} details.attempts how often it was tried
   * @param {unknown} [details.cause]
   */
  constructor(message, { code = 'ERR_NC_TASK_FAILED', itemIndex, workerId, attempts, cause }) {
    super(code, message, cause === undefined ? undefined : { cause })
    this.itemIndex = itemIndex
    this.workerId = workerId
    this.attempts = attempts
  }
}

for (const Class of [NetworkClusterError, CapturedVariablesError, TaskError]) {
  Object.defineProperty(Class.prototype, 'name', {
    value: Class.name,
    configurable: true,
    writable: true,
  })
}

module.exports = { NetworkClusterError, CapturedVariablesError, TaskError }
