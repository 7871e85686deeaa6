'use strict'

/**
 * An error of the streams, in the form in which those of the server arrive.
 *
 * @param {string} message
 * @param {string} code
 */
function streamError(message, code) {
  return Object.assign(new Error(message), { name: 'StreamError', code })
}

module.exports = { streamError }
