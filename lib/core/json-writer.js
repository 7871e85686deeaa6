'use strict'

// JSON straight into a buffer, for what most packets and shared values consist of: plain objects,
// arrays, numbers, strings of plain ASCII. It is the text that the default codec makes; everything else
// is left to others.

/** Up to here a loop is faster than two calls. */
const SHORT = 48
/** What JSON writes otherwise, or UTF-8 as more than one byte. */
const ESCAPED = /[^ !#-[\]-~]/
/** The same, by UTF-16 unit. */
const UNFIT = new Uint8Array(0x10000).fill(1)
for (let unit = 0x20; unit < 0x7f; unit++) UNFIT[unit] = unit === 0x22 || unit === 0x5c ? 1 : 0
const DEEPEST = 16
/** Objects of a value that is kept; all of them are looked through for one that was met before. */
const MOST_OBJECTS = 64
/** More than a number or word takes together with what closes the values around it. */
const SLACK = 64

const { hasOwnProperty } = Object.prototype

/** @type {Buffer & { latin1Write(text: string, at: number, length: number): number }} */
const NOWHERE = /** @type {any} */ (Buffer.alloc(0))

// Where the text goes, from one call of `writeJson` to its end.
let bytes = NOWHERE
let at = 0
let end = 0
let busy = false
/** Only what JSON keeps as structuredClone does. */
let keeps = false
/** Objects met, for that. @type {(object | null)[]} */
const met = Array.from({ length: MOST_OBJECTS }, () => null)
let count = 0

/**
 * Writes a value as JSON text, if it is of that kind and there is room.
 * @param {Buffer} buffer
 * @param {number} start
 * @returns {number} where the text ends; -1 if it could not be written
 */
function writeJson(buffer, start, value) {
  return write(buffer, start, value, false)
}

/**
 * As `writeJson`, from the beginning of the buffer, if JSON keeps the value as structuredClone does: see
 * values/plain.js.
 * @param {Buffer} buffer
 * @param {object} value
 * @returns {number}
 */
function writeKept(buffer, value) {
  return write(buffer, 0, value, true)
}

/**
 * @param {Buffer} buffer
 * @param {number} start
 * @param {unknown} value
 * @param {boolean} kept
 */
function write(buffer, start, value, kept) {
  // A getter of the value's may write another one.
  if (busy) return -1
  busy = true
  keeps = kept
  bytes = /** @type {typeof bytes} */ (buffer)
  at = start
  end = buffer.length - SLACK
  try {
    return start <= end && writeValue(value, 0) && bytes === buffer ? at : -1
  } catch {
    return -1
  } finally {
    busy = false
    while (count > 0) met[--count] = null
  }
}

/** Somebody else needs the buffer: the call under way writes no more, and fails. */
function abandon() {
  bytes = NOWHERE
  end = -1
}

function writeValue(value, depth) {
  switch (typeof value) {
    case 'string':
      return writeString(value)
    case 'number':
      return writeNumber(value)
    case 'boolean':
      return writeWord(value ? 'true' : 'false')
    case 'object':
      return value === null ? writeWord('null') : writeObject(value, depth + 1)
    default:
      return false
  }
}

function writeObject(value, depth) {
  if (depth > DEEPEST || value.toJSON !== undefined || (keeps && !isFirst(value))) return false
  const prototype = Object.getPrototypeOf(value)
  if (prototype === Object.prototype) return writeFields(value, depth)
  return prototype === Array.prototype && Array.isArray(value) && writeItems(value, depth)
}

/** Whether an object was not met before. */
function isFirst(object) {
  if (count === MOST_OBJECTS) return false
  for (let i = 0; i < count; i++) if (met[i] === object) return false
  met[count++] = object
  return true
}

function writeItems(items, depth) {
  if (keeps && Object.keys(items).length !== items.length) return false
  if (items.length === 0) return writeWord('[]')
  for (let i = 0; i < items.length; i++) {
    bytes[at++] = i === 0 ? 0x5b : 0x2c
    if (!writeValue(items[i], depth)) return false
  }
  bytes[at++] = 0x5d
  return true
}

function writeFields(object, depth) {
  let separator = 0x7b
  // Both `for in` and this check cost next to nothing together, unlike a list of the keys.
  for (const key in object) {
    if (!hasOwnProperty.call(object, key)) continue
    const value = object[key]
    if (value === undefined) {
      if (keeps) return false
      continue
    }
    // To the codec that may be a Buffer in disguise.
    if (value === 'Buffer' && key === 'type') return false
    bytes[at++] = separator
    separator = 0x2c
    if (!writeString(key)) return false
    bytes[at++] = 0x3a
    if (!(typeof value === 'string' ? writeString(value) : writeValue(value, depth))) return false
  }
  if (separator === 0x7b) return writeWord('{}')
  bytes[at++] = 0x7d
  return true
}

function writeString(text) {
  const { length } = text
  if (at + length > end) return false
  if (length > SHORT) return writeLong(text)
  const target = bytes
  let position = at
  // Whether a unit was no plain one is asked once, after the loop: that is twice as fast.
  let unfit = 0
  target[position++] = 0x22
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i)
    unfit |= UNFIT[unit]
    target[position++] = unit
  }
  target[position++] = 0x22
  at = position
  return unfit === 0
}

function writeLong(text) {
  if (ESCAPED.test(text)) return false
  bytes[at++] = 0x22
  at += bytes.latin1Write(text, at, text.length)
  bytes[at++] = 0x22
  return true
}

function writeNumber(value) {
  const whole = value | 0
  // Also zero goes the other way, of which there are two.
  if (whole !== value || whole <= 0) {
    if (keeps && !isKept(value)) return false
    return writeWord(Number.isFinite(value) ? String(value) : 'null')
  }
  if (at > end) return false
  let digits = 1
  for (let bound = 10; digits < 10 && whole >= bound; bound *= 10) digits++
  let rest = whole
  for (let place = at + digits - 1; place >= at; place--) {
    const next = (rest / 10) | 0
    bytes[place] = 0x30 + rest - next * 10
    rest = next
  }
  at += digits
  return true
}

/** Neither -0 nor NaN nor infinite. */
function isKept(value) {
  return value === 0 ? 1 / value > 0 : value - value === 0
}

function writeWord(word) {
  if (at > end) return false
  for (let i = 0; i < word.length; i++) bytes[at++] = word.charCodeAt(i)
  return true
}

module.exports = { abandon, writeJson, writeKept }
