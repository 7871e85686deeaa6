'use strict'

const { TimeoutError } = require('sc-errors')

/**
 * Calls a handler and waits for it, for so long.
 *
 * @param {(message: any, signal: AbortSignal) => any} handler
 * @param {object} message
 * @param {number} timeout in ms; then the signal is aborted
 * @returns {Promise<{ error: any } | undefined>} what it failed with
 */
function attempt(handler, message, timeout) {
  const controller = new AbortController()
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      const error = new TimeoutError(`The handler did not finish within ${timeout} ms`)
      controller.abort(error)
      resolve({ error })
    }, timeout)
    const settle = (failure) => {
      clearTimeout(timer)
      resolve(failure)
    }
    const call = async () => handler(message, controller.signal)
    call().then(
      () => settle(undefined),
      (error) => settle({ error }),
    )
  })
}

module.exports = attempt
