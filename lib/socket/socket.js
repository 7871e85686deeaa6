'use strict'

const AGRequest = require('ag-request')
const Stream = require('../streams/stream')
const {
  InvalidActionError,
  InvalidArgumentsError,
  socketProtocolErrorStatuses,
  socketProtocolIgnoreStatuses,
} = require('sc-errors')

const { OP } = require('../core/commands')
const { replaceable } = require('../core/properties')
const Emitter = require('../streams/emitter')
const { RawSocket } = require('./raw-socket')
const { remoteOf, requestOf } = require('../server/request')
const { LISTENER_INTEREST, SocketInterest } = require('./interest')
const { closeFrameError } = require('./close-frame')

const STATES = {
  CONNECTING: 'connecting',
  OPEN: 'open',
  CLOSED: 'closed',
  AUTHENTICATED: 'authenticated',
  UNAUTHENTICATED: 'unauthenticated',
}

/**
 * The parts installed below.
 * @typedef {Emitter & typeof STATES
 *   & typeof import('./streams') & typeof import('./outbound') & typeof import('./batching')
 *   & typeof import('./session')
 *   & typeof import('./asks') & typeof import('./auth') & {
 *     _gone?: boolean,
 *     _counters(): number[],
 *     middlewareInboundRawStream: Stream & { type: string },
 *     middlewareInboundStream: Stream & { type: string },
 *     middlewareOutboundStream: Stream & { type: string },
 *   }} Base
 */
const Base = /** @type {new () => Base} */ (/** @type {unknown} */ (Emitter))

/** A client, as the app sees it. What it needs of streams is made when first used. */
class AGServerSocket extends Base {
  /**
   * @param {import('../server/server')} server
   * @param {{ slot: number, generation: number, id: string, request: any }} connection
   */
  constructor(server, connection) {
    super()
    const { options } = server
    this.id = connection.id
    this.server = server
    this.state = STATES.CONNECTING
    this.authState = STATES.UNAUTHENTICATED
    this.protocolVersion = server.protocolVersion
    this.createRequest = options.requestCreator || this.defaultRequestCreator
    this.cloneData = options.cloneData
    this.batchOnHandshake = options.batchOnHandshake
    this.batchOnHandshakeDuration = options.batchOnHandshakeDuration
    this.batchInterval = options.batchInterval
    this.isBufferingBatch = false
    this.isBatching = false
    this._native = connection
    this._link = server._native
    this._interest = new SocketInterest(this)
    this._cid = 1
    /** @type {Map<number, { event: string, resolve: Function, reject: Function, timeout: any }> | undefined} */
    this._calls = undefined
    this._outbound = { prepared: 0, sent: 0 }
    this._setAddress()
    server._pendingClients.add(this)
  }

  // A message that is kept may have been given more by the app, and its socket may go.
  _setAddress() {
    const { request } = this._native
    if (typeof request === 'string') return
    const { remoteAddress, remoteFamily, remotePort } = remoteOf(this._native)
    Object.assign(this, { remoteAddress, remoteFamily, remotePort })
    if (request.forwardedForAddress) this.forwardedForAddress = request.forwardedForAddress
  }

  // ---- the upgrade request ----

  get request() {
    return requestOf(this._native, this.server)
  }

  get remoteAddress() {
    return remoteOf(this._native).remoteAddress
  }

  get remoteFamily() {
    return remoteOf(this._native).remoteFamily
  }

  get remotePort() {
    return remoteOf(this._native).remotePort
  }

  get middlewareHandshakeStream() {
    return this.request[this.server.SYMBOL_MIDDLEWARE_HANDSHAKE_STREAM]
  }

  /** Starts a command about this socket. */
  _command(op) {
    return this._link.command(op, this._native)
  }

  _onListenerInterest(eventName, on) {
    const bit = LISTENER_INTEREST.get(eventName)
    if (bit) this._interest.set(bit, on)
  }

  /** The raw WebSocket: a small facade. */
  get socket() {
    if (!this._rawSocket) this._rawSocket = new RawSocket(this)
    return this._rawSocket
  }

  // ---- state ----

  getState() {
    return this.state
  }

  getBytesReceived() {
    return this._counters()[3]
  }

  get channelSubscriptions() {
    // Also a channel `__proto__` becomes a property of its own.
    return Object.fromEntries(this.subscriptions().map((channel) => [channel, true]))
  }

  get channelSubscriptionsCount() {
    return this.subscriptions().length
  }

  subscriptions() {
    return this._gone ? [] : this._link.channelsOf(this._native)
  }

  isSubscribed(channel) {
    return this.subscriptions().includes(String(channel))
  }

  emitError(error) {
    this.emit('error', { error })
    this.server.emitWarning(error)
  }

  defaultRequestCreator(socket, id, procedureName, data) {
    return new AGRequest(socket, id, procedureName, data)
  }

  // ---- ending ----

  /**
   * @param {number} [code] 1000 by default
   * @param {string} [reason] sent to the client
   */
  async disconnect(code, reason) {
    const status = code || 1000
    if (typeof status !== 'number') {
      this.emitError(new InvalidArgumentsError('If specified, the code argument must be a number'))
    }
    if (this.state === this.CLOSED) return
    const error = closeFrameError(status, reason)
    this._close(status, reason, error ? 1006 : status, error ? undefined : reason)
    if (error) throw error
  }

  terminate() {
    if (!this._gone) this._command(OP.TERMINATE)
  }

  /**
   * Takes the client off a channel, several, or all of them.
   * @param {string | string[]} [channel]
   * @param {string} [message] for the client
   */
  kickOut(channel, message) {
    const given = channel || this.subscriptions()
    const channels = Array.isArray(given) ? given : [given]
    return Promise.all(
      channels.map((channelName) => {
        this.transmit('#kickOut', { channel: channelName, message })
        return this._unsubscribe(channelName)
      }),
    )
  }

  async _unsubscribe(channel) {
    if (!this.isSubscribed(channel)) {
      throw new InvalidActionError(
        `Socket ${this.id} tried to unsubscribe from a channel which it is not subscribed to`,
      )
    }
    await this._leaveChannel(channel)
  }

  // ---- middleware ----

  /** Starts a line of middleware on this socket, once. */
  _startMiddleware(type) {
    if (!this._startedMiddleware) this._startedMiddleware = new Set()
    const middleware = this.server._middleware.get(type)
    const stream = this._middlewareStream(type)
    if (!middleware || !stream || this._startedMiddleware.has(type)) return
    this._startedMiddleware.add(type)
    middleware(stream)
  }

  _middlewareStream(type) {
    if (type === this.server.MIDDLEWARE_INBOUND_RAW) return this.middlewareInboundRawStream
    if (type === this.server.MIDDLEWARE_INBOUND) return this.middlewareInboundStream
    if (type === this.server.MIDDLEWARE_OUTBOUND) return this.middlewareOutboundStream
    return undefined
  }
}

/** Streams made when first asked for. */
function defineLazyStream(property, type) {
  const field = `_${property}`
  Object.defineProperty(AGServerSocket.prototype, property, {
    get() {
      if (!this[field]) {
        this[field] = new Stream()
        this[field].type = this.server[type]
      }
      return this[field]
    },
    configurable: true,
  })
}

defineLazyStream('middlewareInboundRawStream', 'MIDDLEWARE_INBOUND_RAW')
defineLazyStream('middlewareInboundStream', 'MIDDLEWARE_INBOUND')
defineLazyStream('middlewareOutboundStream', 'MIDDLEWARE_OUTBOUND')

Object.assign(AGServerSocket, STATES)
Object.assign(AGServerSocket.prototype, STATES)
AGServerSocket.ignoreStatuses = socketProtocolIgnoreStatuses
AGServerSocket.errorStatuses = socketProtocolErrorStatuses

for (const part of [
  './streams',
  './outbound',
  './batching',
  './session',
  './asks',
  './history',
  './auth',
]) {
  const methods = Object.getOwnPropertyDescriptors(require(part))
  for (const [name, descriptor] of Object.entries(methods)) {
    const enumerable = !!descriptor.get
    Object.defineProperty(AGServerSocket.prototype, name, { ...descriptor, enumerable })
  }
}

replaceable(AGServerSocket.prototype, [
  'request',
  'remoteAddress',
  'remoteFamily',
  'remotePort',
  'middlewareHandshakeStream',
  'socket',
  'inboundReceivedMessageCount',
  'inboundProcessedMessageCount',
  'outboundPreparedMessageCount',
  'outboundSentMessageCount',
  'inboundMessageStream',
  'outboundPacketStream',
  'middlewareInboundRawStream',
  'middlewareInboundStream',
  'middlewareOutboundStream',
  'channelSubscriptions',
  'channelSubscriptionsCount',
])

module.exports = AGServerSocket
