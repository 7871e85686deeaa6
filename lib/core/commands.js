'use strict'

// Commands to the core, collected in one flat buffer: an operation (u8) and its fields,
// little-endian; text as a u32 length and UTF-8 bytes. `src/node/commands.rs` reads it.

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
})

const INITIAL_SIZE = 16 * 1024
// A buffer that had to grow beyond this is not kept for the next batch.
const KEPT_SIZE = 1024 * 1024
const LONG_TEXT = 16 * 1024
const NONE = 0xffffffff

class CommandBuffer {
  constructor() {
    this.buffer = Buffer.allocUnsafeSlow(INITIAL_SIZE)
    this.length = 0
  }

  /**
   * @param {number} op one of OP
   * @param {{ slot: number, generation: number }} [conn]
   */
  begin(op, conn) {
    this._reserve(9)
    this.buffer[this.length++] = op
    return conn ? this.conn(conn) : this
  }

  conn(conn) {
    return this.u32(conn.slot).u32(conn.generation)
  }

  u32(value) {
    this._reserve(4)
    this.buffer.writeUInt32LE(value >>> 0, this.length)
    this.length += 4
    return this
  }

  /** @param {number | undefined} value */
  number(value) {
    this._reserve(8)
    this.buffer.writeDoubleLE(value === undefined ? NaN : value, this.length)
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
    this.buffer.writeUInt32LE(written, this.length)
    this.length += 4 + written
    return this
  }

  /** @param {Uint8Array} bytes copied: the caller may change them afterwards */
  bytes(bytes) {
    this._reserve(4 + bytes.length)
    this.buffer.writeUInt32LE(bytes.length, this.length)
    this.buffer.set(bytes, this.length + 4)
    this.length += 4 + bytes.length
    return this
  }

  reset() {
    this.length = 0
    if (this.buffer.length > KEPT_SIZE) this.buffer = Buffer.allocUnsafeSlow(INITIAL_SIZE)
  }

  _reserve(bytes) {
    const needed = this.length + bytes
    if (needed <= this.buffer.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.buffer.length * 2))
    this.buffer.copy(grown, 0, 0, this.length)
    this.buffer = grown
  }
}

module.exports = { CommandBuffer, OP }
