'use strict'

// Events of the core, read from one flat buffer per batch; `src/runtime/js_queue/` writes it.

const { fromWire } = require('./names')

const KIND = Object.freeze({
  CONNECTED: 1,
  CLOSED: 2,
  GONE: 3,
  ERROR: 4,
  RAW_ASK: 5,
  MESSAGE: 6,
  RAW: 7,
  PACKET: 8,
  HANDLED: 9,
  RESPONSE: 10,
  SUBSCRIBED: 11,
  UNSUBSCRIBED: 12,
  VERIFY_ASK: 13,
  HANDSHAKE_ASK: 14,
  AUTHENTICATE_ASK: 15,
  AUTH_RESULT: 16,
  DEAUTHENTICATED: 17,
  DECODE_ASK: 18,
  ENCODE: 19,
  PUBLISH_OUT: 20,
  PUBLISHED: 21,
  CHANNEL_OPENED: 22,
  CHANNEL_CLOSED: 23,
  BROKER_SUBSCRIBE_ASK: 24,
  BROKER_UNSUBSCRIBE_ASK: 25,
  BROKER_PUBLISH_ASK: 26,
  IDLE: 27,
  FAULT: 28,
  BRIDGE_WRITE: 29,
  BRIDGE_END: 30,
  BRIDGE_DESTROY: 31,
  BRIDGE_PAUSE: 32,
  BRIDGE_RESUME: 33,
  RESPOND: 34,
})

// Kinds without a connection; all others start with one.
/** @type {Set<number>} */
const GENERAL = new Set([
  KIND.ENCODE,
  KIND.PUBLISH_OUT,
  KIND.PUBLISHED,
  KIND.CHANNEL_OPENED,
  KIND.CHANNEL_CLOSED,
  KIND.IDLE,
  KIND.FAULT,
])

const PACKET_KINDS = ['transmit', 'invoke', 'subscribe', 'publishIn']
const NONE = 0xffffffff

class EventReader {
  /** @param {Buffer} buffer */
  constructor(buffer) {
    this.buffer = /** @type {Buffer & { utf8Slice(start: number, end: number): string }} */ (buffer)
    this.position = 0
  }

  get done() {
    return this.position >= this.buffer.length
  }

  /** The slot of the next event, or -1 if it belongs to no connection. */
  peekSlot() {
    if (this.done || GENERAL.has(this.buffer[this.position])) return -1
    return this.buffer.readUInt32LE(this.position + 1)
  }

  u8() {
    return this.buffer[this.position++]
  }

  u32() {
    const value = this.buffer.readUInt32LE(this.position)
    this.position += 4
    return value
  }

  /** @returns {number | undefined} */
  number() {
    const value = this.buffer.readDoubleLE(this.position)
    this.position += 8
    return Number.isNaN(value) ? undefined : value
  }

  text() {
    const length = this.u32()
    const start = this.position
    this.position += length
    return this.buffer.utf8Slice(start, this.position)
  }

  /** @returns {string | undefined} JSON text, or nothing */
  json() {
    if (this.buffer.readUInt32LE(this.position) !== NONE) return this.text()
    this.position += 4
    return undefined
  }

  name() {
    return fromWire(this.text())
  }

  /** A copy, since it may outlive the batch. */
  bytes() {
    const length = this.u32()
    const start = this.position
    this.position += length
    return Buffer.from(this.buffer.subarray(start, this.position))
  }

  /** A message: a string if it was text, else a Buffer. */
  message() {
    return this.u32() ? this.text() : this.bytes()
  }

  /** Messages received, processed, publishes sent, bytes received. */
  counters() {
    return [this.number(), this.number(), this.number(), this.number()]
  }

  conns() {
    const conns = []
    for (let left = this.u32(); left > 0; left--) {
      conns.push({ slot: this.u32(), generation: this.u32() })
    }
    return conns
  }

  names() {
    const names = []
    for (let left = this.u32(); left > 0; left--) names.push(this.name())
    return names
  }

  packetKind() {
    return PACKET_KINDS[this.u8()]
  }

  error() {
    return { name: this.text(), json: this.text() }
  }

  /** The outcome of a token's check. */
  auth() {
    const flow = this.u32()
    const signed = this.json()
    if (this.u32()) return { flow, signed, accepted: true, payload: this.json() }
    const flags = this.u32()
    const error = this.u32() ? this.error() : undefined
    return {
      flow,
      signed,
      accepted: false,
      badToken: !!(flags & 1),
      byMiddleware: !!(flags & 2),
      error,
    }
  }
}

module.exports = { EventReader, KIND }
