'use strict'

// What can be said in a close frame (RFC 6455, section 7.4).

const MAX_REASON_BYTES = 123

/**
 * The error of a close frame that cannot be sent, or undefined.
 * @param {number} [code]
 * @param {string} [reason]
 */
function closeFrameError(code, reason) {
  if (code !== undefined && !isValidCode(code)) {
    return new TypeError('First argument must be a valid error code number')
  }
  if (reason !== undefined && Buffer.byteLength(String(reason)) > MAX_REASON_BYTES) {
    return new RangeError('The message must not be greater than 123 bytes')
  }
  return undefined
}

function isValidCode(code) {
  const assigned = code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)
  return Number.isInteger(code) && (assigned || (code >= 3000 && code <= 4999))
}

module.exports = { closeFrameError }
