'use strict'

// What the app sends: packets through the outbound stream, answers and raw messages at once.

const cloneDeep = require('clone-deep')
const Stream = require('../streams/stream')
const { BadConnectionError, TimeoutError } = require('sc-errors')

const { OP } = require('../core/commands')
const { encodePacket, encodesByDefault } = require('../core/encode')
const AGAction = require('../server/action')
const { RESPONSE } = require('./interest')
const { notOpen } = require('./raw-socket')

const outbound = {
  /** Packets on their way: `transmit` and `invoke` write, the socket sends. */
  get outboundPacketStream() {
    if (!this._outboundPacketStream) {
      this._outboundPacketStream = new Stream()
      this._outboundConsumer = this._outboundPacketStream.createConsumer()
    }
    return this._outboundPacketStream
  },

  // What is answered in the same turn leaves before a packet, since that passes through a stream.
  _writeOutbound(packet) {
    this._outbound.prepared++
    this.outboundPacketStream.write(packet)
    const consumer = this._outboundConsumer
    if (!consumer) return
    this._outboundConsumer = undefined
    this._handleOutboundPackets(consumer)
  },

  async _handleOutboundPackets(consumer) {
    // As long as a stream takes to wake a loop that waits already.
    await Promise.resolve()
    for await (const packet of consumer) {
      // A call has no middleware, so there is nothing to wait for.
      if (packet.resolve) this._invoke(packet).then(packet.resolve, packet.reject)
      else await this._processTransmit(packet.event, packet.data, packet.options)
      this._outbound.sent++
    }
  },

  /**
   * Sends an event; resolves at once.
   * @param {string} event
   * @param {any} [data]
   * @param {{ useCache?: boolean, stringifiedData?: any }} [options]
   */
  async transmit(event, data, options) {
    if (this.state !== this.OPEN) {
      this.emitError(aborted('transmit', event))
      return
    }
    this._transmit(event, data, options)
  },

  _transmit(event, data, options) {
    this._writeOutbound({ event, data: this._clone(data), options })
  },

  /**
   * Calls a procedure of the client.
   * @param {string} event
   * @param {any} [data]
   * @param {{ ackTimeout?: number, useCache?: boolean, stringifiedData?: any }} [options]
   */
  async invoke(event, data, options) {
    if (this.state !== this.OPEN) {
      const error = aborted('invoke', event)
      this.emitError(error)
      throw error
    }
    return new Promise((resolve, reject) => {
      this._writeOutbound({ event, data: this._clone(data), options, resolve, reject })
    })
  },

  _clone(data) {
    return this.cloneData ? cloneDeep(data) : data
  },

  async _processTransmit(event, data, options) {
    if (event === '#publish') return this._transmitPublish(data, options)
    if (options && options.useCache) return this._sendCached({ event, data }, options)
    return this.sendObject({ event, data })
  },

  async _transmitPublish(data, options) {
    const action = new AGAction()
    action.socket = this
    action.type = AGAction.PUBLISH_OUT
    if (data !== undefined) {
      action.channel = data.channel
      action.data = data.data
    }
    const { server } = this
    let useCache = !server.hasMiddleware(server.MIDDLEWARE_OUTBOUND)
    let newData
    try {
      const result = await server._processMiddlewareAction(
        this.middlewareOutboundStream,
        action,
        this,
      )
      newData = result.data
      if (result.options != null) useCache = result.options.useCache
    } catch {
      return
    }
    const packet = { event: '#publish', data: { ...data, data: newData } }
    if (useCache) this._sendCached(packet, options)
    else this.sendObject(packet)
  },

  _sendCached(packet, options) {
    const cached = options && options.stringifiedData
    if (cached != null && !this.isBufferingBatch) this.send(cached)
    else this.sendObject(packet)
  },

  /** A publish that outbound middleware has to see. */
  _publishOut(data, options) {
    this._writeOutbound({ event: '#publish', data, options })
  },

  async _invoke({ event, data, options }) {
    const { ackTimeout, ...cache } = options || {}
    const cid = this._cid++
    return new Promise((resolve, reject) => {
      const delay = ackTimeout == null ? this.server.ackTimeout : ackTimeout
      const timeout = setTimeout(() => {
        this._forgetCall(cid)
        reject(new TimeoutError(`Event response for ${event} event timed out`))
      }, delay)
      this._calls ??= new Map()
      this._calls.set(cid, { event, resolve, reject, timeout })
      this._interest.set(RESPONSE, true)
      const packet = data === undefined ? { event, cid } : { event, cid, data }
      if (cache.useCache) this._sendCached(packet, cache)
      else this.sendObject(packet)
      if (this.state === this.CLOSED) process.nextTick(() => this._abortLateCalls())
    })
  },

  _forgetCall(cid) {
    const call = this._calls && this._calls.get(cid)
    if (!call) return undefined
    clearTimeout(call.timeout)
    this._calls.delete(cid)
    if (!this._calls.size) this._interest.set(RESPONSE, false)
    return call
  },

  /** Calls that were still in the stream when the socket was closed: they cannot be sent. */
  _abortLateCalls() {
    this._abortCalls('connectAbort', 1006, String(notOpen(this.socket.readyState)))
  },

  _abortCalls(type, code, reason) {
    if (!this._calls) return
    for (const [cid, { event, reject }] of this._calls) {
      this._forgetCall(cid)
      const message = `Event ${event} was aborted due to a bad connection`
      reject(new BadConnectionError(message, type, code, reason))
    }
  },

  // ---- encoding and sending ----

  encode(object) {
    return encodePacket(this.server.codec, object)
  },

  decode(message) {
    return this.server.codec.decode(message)
  },

  serializeObject(object) {
    try {
      return this.encode(object)
    } catch (error) {
      this.emitError(error)
      return null
    }
  },

  /** Sends a packet, or holds it back while batching. */
  sendObject(object) {
    const bridge = this.server._codecBridge
    const { active } = bridge
    if (active && this.isBufferingBatch) {
      this._sendPacket(bridge.packetToCore(object))
      return
    }
    if (!active && this._sendEncoded(object)) return
    const message = this.serializeObject(object)
    if (message == null) return
    if (active) this.send(message)
    else this._sendPacket(message)
  },

  /** Encodes a packet right where the core reads it, if that is for us to do; else false. */
  _sendEncoded(object) {
    if (this._gone || !encodesByDefault(this.server.codec)) return false
    const ours =
      this.encode === outbound.encode && this.serializeObject === outbound.serializeObject
    return ours && this._link.encoded(OP.SEND_PACKET, this._native, object)
  },

  _sendPacket(message) {
    if (this._gone) this._failLate()
    else this._command(OP.SEND_PACKET).text(message)
  },

  /**
   * Sends a message as it is.
   * @param {string | Uint8Array | ArrayBuffer} data
   * @param {{ binary?: boolean }} [options]
   */
  send(data, options) {
    if (this._gone) this._failLate()
    else this._sendFrame(data, options && options.binary)
  },

  _sendFrame(data, binary) {
    if (typeof data === 'string' && !binary) {
      this._command(OP.SEND_TEXT).text(data)
      return
    }
    const bytes = toBytes(data)
    this._command(binary === false ? OP.SEND_TEXT : OP.SEND_BINARY).bytes(bytes)
  },

  // The core has forgotten a connection that is gone; the error is the one it gives before.
  _failLate() {
    process.nextTick(() => {
      this.emitError(notOpen(this.socket.readyState))
    })
  },
}

function toBytes(data) {
  if (data instanceof ArrayBuffer) return new Uint8Array(data)
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  return Buffer.from(String(data))
}

function aborted(verb, event) {
  return new BadConnectionError(
    `Socket ${verb} ${event} event was aborted due to a bad connection`,
    'connectAbort',
  )
}

module.exports = outbound
