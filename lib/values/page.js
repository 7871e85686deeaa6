'use strict'

// Values that are short enough, written as bytes into a page that the addon reads without a call: to have
// JSON make a string of an object, once it is known that JSON keeps it, and to give that to the addon
// takes several times as long.

const { abandon, writeKept } = require('../core/json-writer')
const { invalidValue } = require('./invalid.js')
const { BYTES, JSON: TEXT } = require('./tags.js')

/** The addon knows it too. */
const SIZE = 4096

/** A thread's own, which all of its memories read. It is no part of Node's pool. */
const page = Buffer.from(new ArrayBuffer(SIZE))

/**
 * Writes a value at the beginning of the page: bytes of a Uint8Array, or JSON text of an object or array
 * that JSON keeps as structuredClone does (see plain.js), in ASCII. The tag is left in `fill.tag`.
 * @param {unknown} value
 * @returns {number} how many bytes; -1: it is something else, too long, or one of its getters throws
 * @throws {import('../core/network-cluster-error.js').NetworkClusterError} ERR_NC_INVALID_VALUE if its bytes are
 *   gone
 */
function fill(value) {
  if (typeof value !== 'object' || value === null) return -1
  if (value instanceof Uint8Array) return fillBytes(value)
  fill.tag = TEXT
  return writeKept(page, value)
}
fill.tag = TEXT

/** @param {Uint8Array} bytes */
function fillBytes(bytes) {
  try {
    const { length } = bytes
    if (length > SIZE) return -1
    // A getter of the value that is being written may have led here.
    abandon()
    page.set(bytes)
    fill.tag = BYTES
    return length
  } catch (cause) {
    throw invalidValue(bytes, cause)
  }
}

module.exports = { fill, page }
