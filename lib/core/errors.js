'use strict'

// The error classes of the protocol, and the one way to make an error of our own.
const scErrors = require('sc-errors')

/**
 * Makes an error with a stable `code` to match on; messages may be reworded, codes may not.
 *
 * The code is not enumerable, so that it does not change what `dehydrateError` puts on the wire.
 * A class whose `code` already means something (the close code of SocketProtocolError and
 * BadConnectionError) keeps its own.
 *
 * @template {Error} E
 * @param {new (message: string) => E} Class
 * @param {string} message
 * @param {string} code
 * @returns {E & { code: string | number }}
 */
function codedError(Class, message, code) {
  const error = /** @type {E & { code: string | number }} */ (new Class(message))
  if (error.code === undefined) {
    Object.defineProperty(error, 'code', { value: code, configurable: true, writable: true })
  }
  // Starts the trace at the caller: the classes record where they were constructed.
  if (Error.captureStackTrace) Error.captureStackTrace(error, codedError)
  return error
}

/**
 * @param {string} message
 * @param {string} [code]
 */
function invalidOptions(message, code = 'ERR_INVALID_OPTIONS') {
  return codedError(scErrors.InvalidOptionsError, message, code)
}

/** @type {{ codedError: typeof codedError, invalidOptions: typeof invalidOptions, [name: string]: any }} */
const errors = { ...scErrors, codedError, invalidOptions }

module.exports = errors
