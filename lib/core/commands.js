'use strict'

// Commands to the core, collected in one flat buffer: an operation (u8) and its fields,
// little-endian; text as a u32 length and UTF-8 bytes. `src/node/commands.rs` reads it.

const { abandon, writeJson } = require('./json-writer')

const OP = Object.freeze({
  SEND_TEXT: 1,
  SEND_BINARY: 2,
  SEND_PACKET: 3,
  CLOSE: 4,
  CLOSE_RAW: 5,
  TERMINATE: 6,
  PUBLISH: 7,
  INTEREST: 8,
  ALLOW: 9,
  REPLACE: 10,
  BLOCK: 11,
  VERIFIED: 12,
  DECODED: 13,
  FAILED: 14,
  SET_TOKEN: 15,
  ACCEPT: 16,
  REFUSE: 17,
  BATCH: 18,
  SEND_MANY: 19,
  DROP_INBOUND: 20,
  ATTACH: 21,
  SUBSCRIBE_SOCKET: 22,
  START: 23,
  STREAM_REQUEST: 24,
})

const INITIAL_SIZE = 16 * 1024
// A buffer that had to grow beyond this is not kept for the next batch.
const KEPT_SIZE = 1024 * 1024
const LONG_TEXT = 16 * 1024
const NONE = 0xffffffff
/** An operation and a connection. */
const HEADER = 9
/** At least so much is there for a value that is encoded in place. */
const ROOM = 2048

class CommandBuffer {
  constructor() {
    this._use(Buffer.allocUnsafeSlow(INITIAL_SIZE))
    this.length = 0
    /** A value is being encoded behind the last command. */
    this._encoding = false
  }

  _use(buffer) {
    this.buffer = buffer
    this.view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length)
  }

  /**
   * @param {number} op one of OP
   * @param {{ slot: number, generation: number }} [conn]
   */
  begin(op, conn) {
    this._reserve(HEADER)
    if (this._encoding) abandon()
    this.buffer[this.length++] = op
    return conn ? this.conn(conn) : this
  }

  conn({ slot, generation }) {
    this._reserve(8)
    this.view.setUint32(this.length, slot, true)
    this.view.setUint32(this.length + 4, generation, true)
    this.length += 8
    return this
  }

  u32(value) {
    this._reserve(4)
    this.view.setUint32(this.length, value, true)
    this.length += 4
    return this
  }

  /** @param {number | undefined} value */
  number(value) {
    this._reserve(8)
    this.view.setFloat64(this.length, value === undefined ? NaN : value, true)
    this.length += 8
    return this
  }

  /** @param {string | undefined} text JSON text; none for `undefined` */
  json(text) {
    return text === undefined ? this.u32(NONE) : this.text(text)
  }

  text(text) {
    // No UTF-16 unit takes more than three bytes; for a long text it pays to count them.
    this._reserve(4 + (text.length > LONG_TEXT ? Buffer.byteLength(text) : text.length * 3))
    const written = this.buffer.write(text, this.length + 4, 'utf8')
    this.view.setUint32(this.length, written, true)
    this.length += 4 + written
    return this
  }

  /**
   * A whole command: an operation on a connection, and a value as JSON text.
   * @returns {boolean} whether it could be written; if not, the codec has to encode it
   */
  encoded(op, conn, value) {
    if (this._encoding) return false
    this._reserve(ROOM)
    const start = this.length + HEADER + 4
    // A getter of the value's may begin commands of its own: they go first.
    this._encoding = true
    const end = writeJson(this.buffer, start, value)
    this._encoding = false
    if (end === -1) return false
    this.begin(op, conn).u32(end - start)
    this.length = end
    return true
  }

  /** @param {Uint8Array} bytes copied: the caller may change them afterwards */
  bytes(bytes) {
    this._reserve(4 + bytes.length)
    this.view.setUint32(this.length, bytes.length, true)
    this.buffer.set(bytes, this.length + 4)
    this.length += 4 + bytes.length
    return this
  }

  reset() {
    if (this._encoding) abandon()
    this.length = 0
    if (this.buffer.length > KEPT_SIZE) this._use(Buffer.allocUnsafeSlow(INITIAL_SIZE))
  }

  _reserve(bytes) {
    const needed = this.length + bytes
    if (needed <= this.buffer.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.buffer.length * 2))
    this.buffer.copy(grown, 0, 0, this.length)
    this._use(grown)
  }
}

module.exports = { CommandBuffer, OP }
