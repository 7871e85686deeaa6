'use strict'

// What the core is to tell of a socket; `engine::config::socket_interest`.

const { OP } = require('../core/commands')

const MESSAGE = 1
const RAW = 2
const SUBSCRIBE = 4
const UNSUBSCRIBE = 8
const RECEIVER = 16
const PROCEDURE = 32
const PROTOCOL_RECEIVER = 64
const PROTOCOL_PROCEDURE = 128
const RESPONSE = 256

const LISTENER_INTEREST = new Map([
  ['message', MESSAGE],
  ['raw', RAW],
  ['subscribe', SUBSCRIBE],
  ['unsubscribe', UNSUBSCRIBE],
])

/** Bits, each on while something needs it. */
class SocketInterest {
  constructor(socket) {
    this.socket = socket
    this.bits = 0
    /** @type {Map<number, number> | undefined} how many names are consumed, by bit */
    this._names = undefined
  }

  set(bit, on) {
    const bits = on ? this.bits | bit : this.bits & ~bit
    if (bits === this.bits) return
    this.bits = bits
    if (this.socket._gone) return
    const { _link: link, _native: connection } = this.socket
    link.command(OP.INTEREST, connection).u32(bits)
    // A message may be on its way already.
    if (on) link.flushInterest(connection, bits)
  }

  /** A receiver or procedure of this name got its first consumer, or lost its last one. */
  setName(ordinary, protocol, name, on) {
    const bit = name.startsWith('#') ? protocol : ordinary
    this._names ??= new Map()
    const count = (this._names.get(bit) || 0) + (on ? 1 : -1)
    this._names.set(bit, count)
    this.set(bit, count > 0)
  }
}

module.exports = {
  LISTENER_INTEREST,
  MESSAGE,
  PROCEDURE,
  PROTOCOL_PROCEDURE,
  PROTOCOL_RECEIVER,
  RECEIVER,
  RESPONSE,
  SocketInterest,
}
