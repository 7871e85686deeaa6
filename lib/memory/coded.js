'use strict'

const { error } = require('./check.js')

/**
 * @template T
 * @param {() => T} call
 * @returns {T}
 */
function coded(call) {
  try {
    return call()
  } catch (cause) {
    throw recoded(cause)
  }
}

/** The addon's errors as those of this package. */
function recoded(cause) {
  const { code, message } = cause
  return typeof code === 'string' && code.startsWith('ERR_NC_') && cause.constructor === Error
    ? error(/** @type {any} */ (code), message)
    : cause
}

module.exports = { coded, recoded }
