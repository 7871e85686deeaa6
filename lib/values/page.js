'use strict'

// Values that are short enough, written as bytes into a page that the addon reads without a call: to have
// JSON make a string of an object, once it is known that JSON keeps it, and to give that to the addon
// takes several times as long.

const { invalidValue } = require('./invalid.js')
const { BYTES, JSON: TEXT } = require('./tags.js')

/** The addon knows it too. */
const SIZE = 4096
const DEEPEST = 64
/** So much is written without looking whether there is room: a number, and the ends of all that is open. */
const MARGIN = DEEPEST + 64
/** Objects in a value; it is looked through all of them for one that was met before. */
const MOST_OBJECTS = 64

const [QUOTE, COMMA, MINUS, ZERO, COLON, OPEN, BACKSLASH, CLOSE, BRACE, END] =
  Buffer.from('",-0:[\\]{}')
const [TRUE, FALSE, NULL] = ['true', 'false', 'null'].map((word) => Buffer.from(word))

const { hasOwnProperty } = Object.prototype
const { keys } = Object

/** A thread's own, which all of its memories read. */
const page = new Uint8Array(SIZE)
/** Where the next byte goes. */
let at = 0
/** Objects of the value that is written, so many of them. @type {(object | null)[]} */
const seen = Array.from({ length: MOST_OBJECTS }, () => null)
let count = 0
/** A getter that is called meanwhile may want to write itself: it cannot. */
let busy = false

/**
 * Writes a value at the beginning of the page: bytes of a Uint8Array, or JSON text of an object or array
 * that JSON keeps as structuredClone does (see plain.js), one byte a unit. The tag is left in `fill.tag`.
 * @param {unknown} value
 * @returns {number} how many bytes; -1: it is something else or too long
 * @throws {import('../core/network-cluster-error.js').NetworkClusterError} ERR_NC_INVALID_VALUE if one of its
 *   getters throws, or its bytes are gone
 */
function fill(value) {
  if (typeof value !== 'object' || value === null || busy) return -1
  busy = true
  try {
    if (value instanceof Uint8Array) return fillBytes(value)
    fill.tag = TEXT
    at = 0
    return object(value, 1) ? at : -1
  } catch (cause) {
    throw invalidValue(value, cause)
  } finally {
    busy = false
    while (count > 0) seen[--count] = null
  }
}
fill.tag = TEXT

/** @param {Uint8Array} bytes */
function fillBytes(bytes) {
  const { length } = bytes
  if (length > SIZE) return -1
  page.set(bytes)
  fill.tag = BYTES
  return length
}

/**
 * @param {object} it
 * @param {number} depth
 * @returns {boolean} whether it is written
 */
function object(it, depth) {
  if (depth > DEEPEST || /** @type {any} */ (it).toJSON !== undefined || !first(it)) return false
  // To ask for the prototype takes longer, and what has these constructors and another one has no more to
  // be copied than its own properties.
  if (Array.isArray(it)) return it.constructor === Array && items(it, depth)
  return it.constructor === Object && fields(it, depth)
}

/** Whether the object was not met before. */
function first(it) {
  if (count === MOST_OBJECTS) return false
  for (let i = 0; i < count; i++) if (seen[i] === it) return false
  seen[count++] = it
  return true
}

/**
 * @param {object} it
 * @param {number} depth
 */
function fields(it, depth) {
  let separator = BRACE
  for (const key in it) {
    if (!hasOwnProperty.call(it, key)) continue
    page[at++] = separator
    separator = COMMA
    if (!string(key)) return false
    page[at++] = COLON
    if (!member(it[key], depth)) return false
  }
  // It may be no plain object at all.
  if (separator === BRACE) return false
  page[at++] = END
  return true
}

/**
 * @param {any[]} list
 * @param {number} depth
 */
function items(list, depth) {
  const { length } = list
  page[at++] = OPEN
  for (let i = 0; i < length; i++) {
    if (i > 0) page[at++] = COMMA
    if (!member(list[i], depth)) return false
  }
  page[at++] = CLOSE
  return keys(list).length === length
}

/**
 * @param {unknown} value
 * @param {number} depth
 */
function member(value, depth) {
  if (at > SIZE - MARGIN) return false
  switch (typeof value) {
    case 'string':
      return string(value)
    case 'number':
      return number(value)
    case 'boolean':
      return word(value ? TRUE : FALSE)
    case 'object':
      return value === null ? word(NULL) : object(value, depth + 1)
    default:
      return false
  }
}

/** @param {Uint8Array} letters */
function word(letters) {
  for (let i = 0; i < letters.length; i++) page[at++] = letters[i]
  return true
}

/**
 * Text in quotes, if nothing in it has to be escaped.
 * @param {string} text
 */
function string(text) {
  const { length } = text
  if (length > SIZE - MARGIN - at) return false
  let to = at
  page[to++] = QUOTE
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x20 || unit > 0xff || unit === QUOTE || unit === BACKSLASH) {
      return characters(JSON.stringify(text))
    }
    page[to++] = unit
  }
  page[to++] = QUOTE
  at = to
  return true
}

/** @param {string} text */
function characters(text) {
  const { length } = text
  if (length > SIZE - MARGIN - at) return false
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i)
    if (unit > 0xff) return false
    page[at++] = unit
  }
  return true
}

/** @param {number} value */
function number(value) {
  const whole = value | 0
  if (whole !== value || whole === 0) return fraction(value)
  let rest = whole
  if (rest < 0) {
    page[at++] = MINUS
    rest = -rest
  }
  let digits = 1
  for (let bound = 10; rest >= bound; bound *= 10) digits++
  at += digits
  for (let to = at - 1; digits > 0; digits--) {
    const tens = Math.floor(rest / 10)
    page[to--] = ZERO + rest - tens * 10
    rest = tens
  }
  return true
}

/** @param {number} value */
function fraction(value) {
  // Neither -0 nor NaN nor infinite.
  const kept = value === 0 ? 1 / value > 0 : value - value === 0
  return kept && characters(`${value}`)
}

module.exports = { fill, page }
