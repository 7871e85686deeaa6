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
  PACKET_ASK: 35,
  ACCEPTED: 36,
  HANDED: 37,
  ACCEPT_FAILED: 38,
  STREAM_ANSWER: 39,
  PRESENCE: 40,
  BROKER_PUBLISH_WITH_ASK: 41,
  HISTORY_ASK: 42,
})

// Kinds without a connection; all others start with one.
const GENERAL = flags([
  KIND.ENCODE,
  KIND.PUBLISH_OUT,
  KIND.PUBLISHED,
  KIND.CHANNEL_OPENED,
  KIND.CHANNEL_CLOSED,
  KIND.IDLE,
  KIND.FAULT,
  KIND.HANDED,
  KIND.ACCEPT_FAILED,
  KIND.STREAM_ANSWER,
  KIND.PRESENCE,
])

/** A table of which numbers are in a list. */
function flags(numbers) {
  const table = new Uint8Array(256)
  for (const number of numbers) table[number] = 1
  return table
}

const PACKET_KINDS = ['transmit', 'invoke', 'subscribe', 'publishIn', 'history', 'presence']
const NONE = 0xffffffff
/** Marks the number of a payload among those that stand together. */
const NUMBERED = 0x80000000
/** Marks the number of receivers of a publication that has a place in its channel. */
const MARKED = 0x80000000
/** A batch ends with its number, and before that the length of its payloads. */
const TRAILER = 12

/**
 * Names that came lately, so that the same one is not made again for each packet.
 * @type {(string | undefined)[]}
 */
const KNOWN_NAMES = Array.from({ length: 256 })
const LONGEST_KNOWN = 64

class EventReader {
  /** @param {Buffer} buffer */
  constructor(buffer) {
    this.buffer = /** @type {Buffer & { utf8Slice(start: number, end: number): string }} */ (buffer)
    this.view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length)
    const end = buffer.length - TRAILER
    /** Number of the batch. */
    this.batch = this.view.getFloat64(end + 4, true)
    /** Where the records end and the payloads begin. */
    this.length = end - this.view.getUint32(end, true)
    this.position = 0
    /** @type {any[] | undefined} */
    this._payloads = undefined
    /** Where the event read last began, and its packet's name ended. */
    this._start = 0
    this._named = 0
  }

  get done() {
    return this.position >= this.length
  }

  /** The slot of the next event, or -1 if it belongs to no connection. */
  peekSlot() {
    if (this.done || GENERAL[this.buffer[this.position]]) return -1
    return this.view.getUint32(this.position + 1, true)
  }

  /** Whether a packet follows that is of the same connection, kind and name as the last one. */
  repeats() {
    const { buffer, position } = this
    for (let at = this._start; at < this._named; at++) {
      if (buffer[at] !== buffer[position + at - this._start]) return false
    }
    return true
  }

  kind() {
    this._start = this.position
    this._named = this.position
    return this.buffer[this.position++]
  }

  u8() {
    return this.buffer[this.position++]
  }

  u32() {
    const value = this.view.getUint32(this.position, true)
    this.position += 4
    return value
  }

  /** @returns {number | undefined} */
  number() {
    const value = this.view.getFloat64(this.position, true)
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
    if (this.view.getUint32(this.position, true) !== NONE) return this.text()
    this.position += 4
    return undefined
  }

  /**
   * The payload of a packet for the app.
   * @returns {any} what its JSON text stands for; nothing if there is none
   */
  payload() {
    const head = this.view.getUint32(this.position, true)
    if (head === NONE || head < NUMBERED) {
      const json = this.json()
      return json === undefined ? undefined : JSON.parse(json)
    }
    this.position += 4
    this._payloads ??= this._parsePayloads()
    const number = head - NUMBERED
    const value = this._payloads[number]
    // It is the app's to keep or to let go of.
    this._payloads[number] = undefined
    return value
  }

  /** All at once, since a call of the parser costs as much as a short text. */
  _parsePayloads() {
    return JSON.parse(this.buffer.utf8Slice(this.length, this.buffer.length - TRAILER))
  }

  name() {
    const length = this.view.getUint32(this.position, true)
    const start = this.position + 4
    const end = start + length
    if (length === 0 || length > LONGEST_KNOWN) return this._newName()
    const place = (length * 31 + this.buffer[start] * 7 + this.buffer[end - 1]) & 255
    const known = KNOWN_NAMES[place]
    if (known !== undefined && known.length === length && this._isAt(start, known)) {
      this.position = this._named = end
      return known
    }
    const name = this._newName()
    // Without escapes and characters of several bytes: those are compared byte by byte.
    if (name.length === length) KNOWN_NAMES[place] = name
    return name
  }

  _newName() {
    const text = this.text()
    this._named = this.position
    return fromWire(text)
  }

  _isAt(start, name) {
    for (let i = 0; i < name.length; i++) {
      if (name.charCodeAt(i) !== this.buffer[start + i]) return false
    }
    return true
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
    return this._conns(this.u32())
  }

  _conns(count) {
    const conns = []
    for (let left = count; left > 0; left--) {
      conns.push({ slot: this.u32(), generation: this.u32() })
    }
    return conns
  }

  /** Who gets a publication, and whether its place in its channel follows. */
  receivers() {
    const head = this.u32()
    const placed = head >= MARKED
    return { placed, conns: this._conns(placed ? head - MARKED : head) }
  }

  names() {
    const names = []
    for (let left = this.u32(); left > 0; left--) names.push(this.name())
    return names
  }

  /** Where a message stands in its channel. */
  place() {
    return { epoch: this.text(), offset: /** @type {number} */ (this.number()) }
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
