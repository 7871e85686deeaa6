'use strict'

// A codec of the app's own. The core speaks the default codec's JSON; payloads, which may be
// anything structured clone knows, pass through it as base64 of their serialised form.

const v8 = require('v8')
const { isDefaultCodec } = require('./hooks')

/** Packets whose data the core itself reads. */
const READABLE = new Set(['#handshake', '#authenticate', '#unsubscribe'])
/** The same where the server has streams. */
const READABLE_WITH_STREAMS = new Set([...READABLE, '#history', '#presence'])

class CodecBridge {
  constructor(server) {
    this.server = server
  }

  /** Whether the app has a codec of its own. */
  get active() {
    const { codec } = this.server._live
    return codec !== undefined && !isDefaultCodec(codec)
  }

  encodeData(data) {
    return data === undefined ? undefined : JSON.stringify(pack(data))
  }

  decodePayload(value) {
    return typeof value === 'string' ? unpack(value) : value
  }

  /**
   * A message of a client, as JSON text for the core. Throws what the codec throws.
   * @param {string | Buffer} message
   */
  decodeMessage(message) {
    const decoded = this.server.codec.decode(message)
    const readable = this.server._streams.on ? READABLE_WITH_STREAMS : READABLE
    if (Array.isArray(decoded)) return JSON.stringify(decoded.map((it) => toCore(it, readable)))
    if (decoded && typeof decoded === 'object') return JSON.stringify(toCore(decoded, readable))
    return ''
  }

  /**
   * JSON text of the core (a packet or an array of them), as a message of the codec's; undefined
   * if the codec failed.
   */
  encodePacket(json) {
    const value = JSON.parse(json)
    const packet = Array.isArray(value) ? value.map(fromCore) : fromCore(value)
    try {
      return this.server.codec.encode(packet)
    } catch (error) {
      this.server.emitWarning(error)
      return undefined
    }
  }

  /** A packet object of JavaScript's as JSON text for the core, to be batched there. */
  packetToCore(packet) {
    return JSON.stringify({ '~': pack(packet) })
  }
}

function toCore(packet, readable) {
  if (!packet || typeof packet !== 'object' || Array.isArray(packet)) return null
  const { event, cid, rid, data, error } = packet
  const out = {}
  if (event !== undefined) out.event = event
  if (cid !== undefined) out.cid = cid
  if (rid !== undefined) out.rid = rid
  if (error !== undefined) out.error = error
  if (data !== undefined) out.data = dataToCore(event, data, readable)
  return out
}

function dataToCore(event, data, readable) {
  if (readable.has(event) || data === null) return data
  const isChannelPacket = event === '#publish' || event === '#subscribe'
  if (!isChannelPacket) return pack(data)
  if (typeof data !== 'object' || Array.isArray(data)) return null
  return data.data === undefined ? data : { ...data, data: pack(data.data) }
}

function fromCore(packet) {
  if (packet && packet['~']) return unpack(packet['~'])
  if (!packet || !packet.data) return packet
  const { event, data } = packet
  if (event === '#publish') unpackMember(data, 'data')
  else if (event === '#presence') unpackMember(data, 'info')
  else if (event === undefined) {
    // Of what the core itself answers, these are the history of a channel, and who is on it.
    const { messages, members } = data
    if (Array.isArray(messages)) for (const message of messages) unpackMember(message, 'data')
    if (Array.isArray(members)) for (const member of members) unpackMember(member, 'info')
  }
  return packet
}

function unpackMember(object, name) {
  if (typeof object[name] === 'string') object[name] = unpack(object[name])
}

function pack(value) {
  return v8.serialize(value).toString('base64')
}

function unpack(text) {
  return v8.deserialize(Buffer.from(text, 'base64'))
}

module.exports = CodecBridge
