'use strict'

// Versions: u64 of a hybrid logical clock, in JavaScript 16 hex digits, which sort as the numbers do.
// The upper 42 bits are milliseconds since 1970.

/** Of what does not exist. */
const NONE = '0000000000000000'

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

// The upper half changes once a second.
let high = 0
let highText = '00000000'

/**
 * @param {number} upper 32 bits
 * @param {number} lower 32 bits
 */
function versionOf(upper, lower) {
  if (upper !== high) {
    high = upper
    highText = upper.toString(16).padStart(8, '0')
  }
  return (
    highText +
    HEX[lower >>> 24] +
    HEX[(lower >>> 16) & 0xff] +
    HEX[(lower >>> 8) & 0xff] +
    HEX[lower & 0xff]
  )
}

/** @param {string} version */
function upperOf(version) {
  return Number.parseInt(version.slice(0, 8), 16)
}

/** @param {string} version */
function lowerOf(version) {
  return Number.parseInt(version.slice(8), 16)
}

/**
 * When a version was given.
 * @param {string} version
 * @returns {number} milliseconds since 1970
 */
function timestampOf(version) {
  return upperOf(version) * 1024 + (lowerOf(version) >>> 22)
}

/** @param {unknown} version */
function isVersion(version) {
  return typeof version === 'string' && /^[0-9a-f]{16}$/.test(version)
}

module.exports = { NONE, versionOf, upperOf, lowerOf, timestampOf, isVersion }
