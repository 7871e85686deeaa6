'use strict'

// Writing and reading the frames of the link. Only Uint8Array and DataView, so that it also runs in
// browsers. Numbers are little endian, a string is a u32 length and UTF-8, a value is
// `tag u8 | length u32 | bytes`, a version is a u64 that JavaScript sees as 16 hex digits.

const { KINDS, TAGS, CLOSE, SUBPROTOCOL, PATH, MAX_FRAME } = require('./kinds.js')
const { latin1, utf16, putLatin1, putUtf16 } = require('./text.js')

/** @typedef {number | string | Uint8Array | Float64Array | undefined} Data what a tag stands in front of */

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Bytes of `kind | id`. */
const HEADER = 5

/** Writes one frame or one body. */
class Writer {
  /** @type {Uint8Array} */
  #bytes
  /** @type {DataView} */
  #view
  #length = 0

  /** @param {number} [size] bytes to start with; more are taken when needed */
  constructor(size = 256) {
    this.#bytes = new Uint8Array(size)
    this.#view = new DataView(this.#bytes.buffer)
  }

  /** Bytes written so far. */
  get length() {
    return this.#length
  }

  /**
   * Begins a frame.
   * @param {number} kind
   * @param {number} id
   */
  header(kind, id) {
    return this.u8(kind).u32(id)
  }

  /** @param {number} value */
  u8(value) {
    const at = this.#take(1)
    this.#bytes[at] = value
    return this
  }

  /** @param {number} value */
  u16(value) {
    const at = this.#take(2)
    this.#view.setUint16(at, value, true)
    return this
  }

  /** @param {number} value */
  u32(value) {
    const at = this.#take(4)
    this.#view.setUint32(at, value, true)
    return this
  }

  /** @param {number} value */
  f64(value) {
    const at = this.#take(8)
    this.#view.setFloat64(at, value, true)
    return this
  }

  /** @param {string} version 16 hex digits */
  version(version) {
    const at = this.#take(8)
    this.#view.setUint32(at, Number.parseInt(version.slice(8), 16), true)
    this.#view.setUint32(at + 4, Number.parseInt(version.slice(0, 8), 16), true)
    return this
  }

  /** @param {string} text well-formed: a lone surrogate becomes U+FFFD */
  str(text) {
    // A unit takes at most three bytes, and the room need not be exact.
    const at = this.#take(4 + 3 * text.length)
    const { written } = encoder.encodeInto(text, this.#bytes.subarray(at + 4))
    this.#view.setUint32(at, written, true)
    this.#length = at + 4 + written
    return this
  }

  /** @param {Uint8Array} bytes without their length */
  bytes(bytes) {
    const at = this.#take(bytes.length)
    this.#bytes.set(bytes, at)
    return this
  }

  /**
   * A value with its length.
   * @param {number} tag
   * @param {Data} data a number, a string, or bytes, as the tag says
   */
  value(tag, data) {
    this.u8(tag)
    if (typeof data === 'number') return this.u32(8).f64(data)
    if (typeof data === 'string') return this.#text(tag === TAGS.UTF16 || tag === TAGS.JSON16, data)
    if (data === undefined) return this.u32(0)
    const bytes = data instanceof Uint8Array ? data : bytesOf(data)
    return this.u32(bytes.length).bytes(bytes)
  }

  /** What was written. The writer is not to be used any more. */
  finish() {
    return this.#bytes.subarray(0, this.#length)
  }

  /**
   * @param {boolean} wide
   * @param {string} text
   */
  #text(wide, text) {
    const size = wide ? 2 * text.length : text.length
    this.u32(size)
    const at = this.#take(size)
    if (wide) putUtf16(text, this.#bytes, at)
    else putLatin1(text, this.#bytes, at)
    return this
  }

  /** @param {number} size */
  #take(size) {
    const at = this.#length
    this.#length = at + size
    if (this.#length > this.#bytes.length) this.#grow()
    return at
  }

  #grow() {
    const larger = new Uint8Array(Math.max(this.#length, 2 * this.#bytes.length))
    larger.set(this.#bytes)
    this.#bytes = larger
    this.#view = new DataView(larger.buffer)
  }
}

/** Reads one frame or one body. What ends too early or is no UTF-8 is a RangeError or TypeError. */
class Reader {
  /** @type {Uint8Array} */
  #bytes
  /** @type {DataView} */
  #view
  #at = 0
  /** Tag of the value read last. */
  tag = 0

  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** Bytes not read yet. */
  get left() {
    return this.#bytes.length - this.#at
  }

  u8() {
    return this.#bytes[this.#take(1)]
  }

  u16() {
    return this.#view.getUint16(this.#take(2), true)
  }

  u32() {
    return this.#view.getUint32(this.#take(4), true)
  }

  f64() {
    return this.#view.getFloat64(this.#take(8), true)
  }

  /** @returns {string} 16 hex digits */
  version() {
    const at = this.#take(8)
    const low = this.#view.getUint32(at, true)
    const high = this.#view.getUint32(at + 4, true)
    return hex8(high) + hex8(low)
  }

  str() {
    return decoder.decode(this.bytes(this.u32()))
  }

  /**
   * @param {number} [length] the rest unless told
   * @returns {Uint8Array} a view, not a copy
   */
  bytes(length = this.left) {
    const at = this.#take(length)
    return this.#bytes.subarray(at, at + length)
  }

  /**
   * A value: its tag is in `tag` afterwards. NUMBER gives a number; LATIN1, UTF16, JSON and JSON16
   * a string; STRUCTURED, BYTES and NUMBERS a view of the bytes; the others undefined.
   * @returns {number | string | Uint8Array | undefined}
   */
  value() {
    const tag = this.u8()
    this.tag = tag
    const length = this.u32()
    const at = this.#take(length)
    if (tag === TAGS.NUMBER) {
      if (length !== 8) throw new RangeError('a number of other than 8 bytes')
      return this.#view.getFloat64(at, true)
    }
    if (tag === TAGS.LATIN1 || tag === TAGS.JSON) return latin1(this.#bytes, at, at + length)
    if (tag === TAGS.UTF16 || tag === TAGS.JSON16) {
      if (length % 2 !== 0) throw new RangeError('half a unit of text')
      return utf16(this.#bytes, at, at + length)
    }
    if (tag >= TAGS.STRUCTURED && tag <= TAGS.NUMBERS) return this.#bytes.subarray(at, at + length)
    if (tag < TAGS.TRUE || tag > TAGS.UNDEFINED || length !== 0) {
      throw new RangeError('not a value')
    }
    return undefined
  }

  /** @param {number} size */
  #take(size) {
    const at = this.#at
    if (size > this.#bytes.length - at) throw new RangeError('the frame ends early')
    this.#at = at + size
    return at
  }
}

/** @param {number} word */
function hex8(word) {
  return word.toString(16).padStart(8, '0')
}

/** @param {ArrayBufferView} view */
function bytesOf(view) {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
}

/**
 * A whole frame around a body.
 * @param {number} kind
 * @param {number} id
 * @param {Uint8Array} [body]
 */
function frame(kind, id, body) {
  const writer = new Writer(HEADER + (body === undefined ? 0 : body.length)).header(kind, id)
  return (body === undefined ? writer : writer.bytes(body)).finish()
}

/**
 * @param {Uint8Array} bytes a whole frame
 * @returns {{ kind: number, id: number, body: Uint8Array }} `body` is a view
 */
function split(bytes) {
  const reader = new Reader(bytes)
  return { kind: reader.u8(), id: reader.u32(), body: reader.bytes() }
}

module.exports = {
  Writer,
  Reader,
  frame,
  split,
  KINDS,
  TAGS,
  CLOSE,
  SUBPROTOCOL,
  PATH,
  MAX_FRAME,
}
