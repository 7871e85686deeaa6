'use strict'

// Values as they are stored in memories and sent between threads and processes: a tag that says what
// kind of value it is, and data.
//
// Inside a process data is what suits the addon: a number, a string (the addon finds out whether one
// byte a unit is enough), a Uint8Array, or nothing. Between processes it is bytes, and the tag says
// how many of them make a unit.

const {
  ABSENT,
  NUMBER,
  LATIN1,
  UTF16,
  TRUE,
  FALSE,
  NULL,
  UNDEFINED,
  JSON: TEXT,
  JSON16,
  STRUCTURED,
  BYTES,
  NUMBERS,
} = require('./tags.js')
const { NetworkClusterError } = require('../core/network-cluster-error.js')
const { invalidValue } = require('./invalid.js')
const { isPlain } = require('./plain.js')
const { serialize, deserialize } = require('./structured.js')

/** @typedef {number | string | Uint8Array | Float64Array | undefined} Data */

/** What one byte is not enough for. */
const WIDE = /[^\0-\xff]/

/**
 * A value as tag and data. The tag is left in `encode.tag`, where it stays until the next call:
 * `const data = encode(value), { tag } = encode`. Nothing is allocated for numbers and strings.
 *
 * A string has the tag LATIN1 and JSON text the tag JSON here, whatever characters they consist of.
 * @param {unknown} value
 * @returns {number | string | Uint8Array | undefined} a number for NUMBER, a string for LATIN1 and JSON,
 *   bytes for BYTES (the value itself) and STRUCTURED, else undefined
 * @throws {NetworkClusterError} ERR_NC_INVALID_VALUE if structuredClone could not copy it either
 */
function encode(value) {
  switch (typeof value) {
    case 'number':
      encode.tag = NUMBER
      return value
    case 'string':
      encode.tag = LATIN1
      return value
    case 'boolean':
      encode.tag = value ? TRUE : FALSE
      return undefined
    case 'undefined':
      encode.tag = UNDEFINED
      return undefined
    case 'object':
      return value === null ? encodeNull() : encodeObject(value)
    default:
      return encodeStructured(value)
  }
}
/** The tag of what was encoded last. */
encode.tag = ABSENT

function encodeNull() {
  encode.tag = NULL
  return undefined
}

/** @param {object} value */
function encodeObject(value) {
  let text
  try {
    if (value instanceof Uint8Array) {
      encode.tag = BYTES
      // What other threads may be writing to is copied once, here.
      return value.buffer instanceof ArrayBuffer ? value : Uint8Array.from(value)
    }
    text = isPlain(value) ? JSON.stringify(value) : undefined
  } catch (cause) {
    throw invalidValue(value, cause)
  }
  if (text === undefined) return encodeStructured(value)
  encode.tag = TEXT
  return text
}

/** @param {unknown} value */
function encodeStructured(value) {
  try {
    const bytes = serialize(value)
    encode.tag = STRUCTURED
    return bytes
  } catch (cause) {
    throw invalidValue(value, cause)
  }
}

/**
 * The value of a tag and data, as `encode` gives them or as the addon or another process does: text
 * may be a string or bytes. Bytes are copied where they are part of something larger.
 * @param {number} tag
 * @param {Data} data
 * @returns {any} undefined for ABSENT too; a Float64Array for NUMBERS
 * @throws {NetworkClusterError} ERR_NC_INVALID_VALUE if the data is not what the tag says
 */
function decode(tag, data) {
  switch (tag) {
    case NUMBER:
      return typeof data === 'number' ? data : view(data).getFloat64(0, true)
    case LATIN1:
    case UTF16:
      return typeof data === 'string' ? data : textOf(tag, data)
    case TEXT:
    case JSON16:
      return parse(typeof data === 'string' ? data : textOf(tag, data))
    case TRUE:
      return true
    case FALSE:
      return false
    case NULL:
      return null
    case UNDEFINED:
    case ABSENT:
      return undefined
    case STRUCTURED:
      return restore(/** @type {Uint8Array} */ (data))
    case BYTES:
      return bytesAlone(/** @type {Uint8Array} */ (data))
    case NUMBERS:
      return data instanceof Float64Array ? data : numbersOf(/** @type {Uint8Array} */ (data))
    default:
      throw damaged(`a value of an unknown kind (${tag})`)
  }
}

/**
 * Many values at once. All of them numbers: NUMBERS, a Float64Array; all of them plain: JSON text of
 * the array; else STRUCTURED.
 * @param {readonly unknown[] | Float64Array} items
 * @returns {{ tag: number, data: Float64Array | string | Uint8Array }}
 * @throws {NetworkClusterError} ERR_NC_INVALID_VALUE; the path begins with the item's index
 */
function encodeItems(items) {
  if (items instanceof Float64Array) return { tag: NUMBERS, data: items }
  if (allNumbers(items))
    return { tag: NUMBERS, data: Float64Array.from(/** @type {number[]} */ (items)) }
  const data = /** @type {string | Uint8Array} */ (encodeObject(items))
  return { tag: encode.tag, data }
}

/** @param {readonly unknown[]} items */
function allNumbers(items) {
  for (let i = 0; i < items.length; i++) if (typeof items[i] !== 'number') return false
  return true
}

/**
 * @param {number} tag
 * @param {Data} data
 * @returns {any[] | Float64Array} a Float64Array for NUMBERS
 */
function decodeItems(tag, data) {
  return decode(tag, data)
}

/**
 * A value's bytes as they are sent. The tag, which now also says how wide text is, is left in
 * `encode.tag`.
 * @param {unknown} value
 * @returns {Uint8Array} of Uint8Arrays, themselves
 */
function encodeBytes(value) {
  return bytesOf(encode(value))
}

/**
 * The bytes of data whose tag is in `encode.tag`; that is changed if text is not latin1.
 * @param {Data} data
 * @returns {Uint8Array}
 */
function bytesOf(data) {
  if (typeof data === 'string') {
    if (!WIDE.test(data)) return Buffer.from(data, 'latin1')
    encode.tag = encode.tag === TEXT ? JSON16 : UTF16
    return Buffer.from(data, 'utf16le')
  }
  if (typeof data === 'number') {
    const bytes = Buffer.allocUnsafe(8)
    bytes.writeDoubleLE(data, 0)
    return bytes
  }
  if (data === undefined) return Buffer.alloc(0)
  return data instanceof Uint8Array
    ? data
    : new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}

/**
 * A value alone, as it is sent where its length is known: tag, then bytes.
 * @param {unknown} value
 * @returns {Buffer}
 */
function toBuffer(value) {
  const bytes = encodeBytes(value)
  const buffer = Buffer.allocUnsafe(1 + bytes.length)
  buffer[0] = encode.tag
  buffer.set(bytes, 1)
  return buffer
}

/**
 * @param {Uint8Array} buffer what `toBuffer` made
 * @returns {any}
 */
function fromBuffer(buffer) {
  if (buffer.length === 0) throw damaged('a value without a kind')
  return decode(buffer[0], buffer.subarray(1))
}

/** @param {Data} data */
function view(data) {
  const bytes = /** @type {Uint8Array} */ (data)
  if (bytes?.byteLength !== 8) throw damaged('a number that is not 8 bytes long')
  return new DataView(bytes.buffer, bytes.byteOffset, 8)
}

/**
 * @param {number} tag
 * @param {Data} data
 */
function textOf(tag, data) {
  const bytes = /** @type {Uint8Array} */ (data)
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return buffer.toString(tag === LATIN1 || tag === TEXT ? 'latin1' : 'utf16le')
}

/** @param {string} text */
function parse(text) {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw damaged('JSON that is none', cause)
  }
}

/** @param {Uint8Array} bytes */
function restore(bytes) {
  try {
    return deserialize(bytes)
  } catch (cause) {
    throw damaged('serialised data that cannot be read', cause)
  }
}

/** @param {Uint8Array} bytes */
function bytesAlone(bytes) {
  const { buffer, byteOffset, length } = bytes
  return buffer.byteLength === length
    ? new Uint8Array(buffer, byteOffset, length)
    : new Uint8Array(bytes)
}

/** @param {Uint8Array} bytes */
function numbersOf(bytes) {
  if (bytes.length % 8 !== 0) throw damaged('numbers of less than 8 bytes')
  return new Float64Array(new Uint8Array(bytes).buffer)
}

/**
 * @param {string} what
 * @param {unknown} [cause]
 */
function damaged(what, cause) {
  return new NetworkClusterError(
    'ERR_NC_INVALID_VALUE',
    `what was stored or sent is ${what}`,
    cause === undefined ? undefined : { cause },
  )
}

module.exports = {
  encode,
  decode,
  encodeItems,
  decodeItems,
  encodeBytes,
  bytesOf,
  toBuffer,
  fromBuffer,
  tags: require('./tags.js'),
}
