'use strict'

const { EventEmitter } = require('events')
const crypto = require('crypto')
const AuthEngine = require('ag-auth')
const formatter = require('sc-formatter')
const scErrors = require('sc-errors')

const { OP } = require('../core/commands')
const { ownAccessors, replaceable } = require('../core/properties')
const Emitter = require('../streams/emitter')
const Broker = require('../exchange/broker')
const AGServerSocket = require('../socket/socket')
const CodecBridge = require('./codec-bridge')
const Link = require('./link')
const hooks = require('./hooks')
const { generateId } = require('./ids')
const middleware = require('./middleware')
const { nativeLimits } = require('./limits')
const metrics = require('./metrics')
const metricsEndpoint = require('./metrics-endpoint')
const { check, defaults, webSocketOptions } = require('./options')
const makePort = require('./broker-port')
const { nativeStreams } = require('./stream-options')
const StreamPort = require('./stream-port')
const Scheduler = require('./scheduler')
const { verifyHandshake } = require('./origin')
const upgrades = require('./upgrade')

/**
 * What is installed below: middleware, properties that may be assigned, the check of handshakes.
 * @typedef {Emitter & import('./middleware').Middleware & import('./hooks').LiveProperties
 *   & { verifyHandshake(info: object, callback: Function): Promise<void> }} Base
 */
const Base = /** @type {new () => Base} */ (/** @type {unknown} */ (Emitter))

/** A SocketCluster server on top of the native core. */
class AGServer extends Base {
  /** @param {object} [options] see docs/api; all are kept in `this.options` */
  constructor(options) {
    super()
    const opts = Object.assign(defaults(), options)
    this.options = opts
    check(opts)

    /** @type {Map<string, Function>} */
    this._middleware = new Map()
    this._interest = new hooks.Interest(this)
    this._webSocket = webSocketOptions(opts)
    this._codecBridge = new CodecBridge(this)
    this._clients = new hooks.ClientTable()
    this._pendingClients = new hooks.ClientTable()
    this._live = hooks.liveValues(opts)
    this._native = undefined
    /** @type {{ update(): void, take(bytes: Buffer): void } | undefined} */
    this._entrance = undefined
    /** Bits of the decisions the app takes, as the core knows them. */
    this._hooks = 0
    Object.defineProperties(this, LIVE)

    this.origins = opts.origins
    this._allowAllOrigins = this.origins.indexOf('*:*') !== -1
    this.ackTimeout = opts.ackTimeout
    this.perMessageDeflate = opts.perMessageDeflate
    this.httpServer = opts.httpServer
    this.middlewareEmitFailures = opts.middlewareEmitFailures
    this._path = opts.path

    this._setKeys(opts)
    const limits = nativeLimits(opts, this._webSocket)
    this._streams = new StreamPort(this, opts.streams)
    this.scheduler = new Scheduler(this._streams)
    this._native = new Link(this, { ...hooks.nativeConfig(this), ...nativeStreams(opts) }, limits)
    const { deflate } = this._webSocket
    if (deflate) this._native.core.setDeflate(deflate)
    this._setEngines(opts)
    this._setBroker(opts)
    this._attach()
  }

  _setKeys(opts) {
    if (opts.authPrivateKey == null && opts.authKey == null) {
      opts.authKey = crypto.randomBytes(32).toString('hex')
    }
    this.signatureKey = opts.authPrivateKey != null ? opts.authPrivateKey : opts.authKey
    this._live.verificationKey = opts.authPublicKey != null ? opts.authPublicKey : opts.authKey

    const verification = {}
    if (opts.authVerifyAlgorithms != null) verification.algorithms = opts.authVerifyAlgorithms
    else if (opts.authAlgorithm != null) verification.algorithms = [opts.authAlgorithm]
    this._live.defaultVerificationOptions = hooks.watched(verification, () => this._reconfigure())

    this.defaultSignatureOptions = { expiresIn: opts.authDefaultExpiry }
    if (opts.authAlgorithm != null) this.defaultSignatureOptions.algorithm = opts.authAlgorithm
  }

  _setEngines(opts) {
    this._defaultAuth = new AuthEngine()
    this._live.auth = opts.authEngine || this._defaultAuth
    this._live.codec = opts.codecEngine || formatter
    this._reconfigure()
  }

  _setBroker(opts) {
    this.brokerEngine = opts.brokerEngine || new Broker(makePort(this))
    opts.brokerEngine = this.brokerEngine
    this._watchBroker()
    this.brokerEngine.setCodecEngine(this.codec)
    this.exchange = this.brokerEngine.exchange()
    this._reconfigure()
  }

  async _watchBroker() {
    this._forwardBrokerErrors()
    this.isReady = !!this.brokerEngine.isReady
    if (!this.isReady) {
      await this.brokerEngine.listener('ready').once()
      this.isReady = true
    }
    this.emit('ready', {})
  }

  async _forwardBrokerErrors() {
    for await (const { error } of this.brokerEngine.listener('error')) this.emitWarning(error)
  }

  _attach() {
    this.wsServer = new EventEmitter()
    if (this.httpServer) upgrades.attach(this.httpServer, this)
    if (this.httpServer && this.options.metricsPath) metricsEndpoint.attach(this.httpServer, this)
    this._onHttpError = (error) => this._handleServerError(error)
    if (this.httpServer) this.httpServer.on('error', this._onHttpError)
  }

  /** Hands the core the settings it decides by. */
  _reconfigure() {
    if (this._native) hooks.configure(this)
    if (this._entrance) this._entrance.update()
  }

  _onListenerInterest(eventName, on) {
    this._interest.set(eventName, on)
  }

  // ---- sockets ----

  /** Whether sockets are to exist in JavaScript from the start. */
  _wantsSockets() {
    return this._interest.sockets || this._hooks !== 0
  }

  _onConnection(connection, eager) {
    if (eager) this._makeSocket(connection)
  }

  /** The socket of a connection, made when first asked for. */
  _socketOf(connection) {
    if (!connection.socket) {
      this._native.command(OP.ATTACH, connection)
      this._makeSocket(connection)
    }
    return connection.socket
  }

  _makeSocket(connection) {
    const socket = new AGServerSocket(this, connection)
    connection.socket = socket
    this._startMiddlewares(socket)
    this.emit('handshake', { socket })
  }

  _startMiddlewares(socket) {
    socket.exchange = this.exchange
    for (const type of middleware.SOCKET_TYPES) {
      if (this._middleware.has(type)) socket._startMiddleware(type)
    }
  }

  /** Makes sockets for connections that had none, because somebody wants to see them. */
  _adoptAll() {
    if (!this._native) return
    for (const open of [false, true]) {
      const fields = this._native.ask('sessions', open)
      for (let i = 0; i < fields.length; i += 3) {
        const connection = this._native.connection(Number(fields[i]), Number(fields[i + 1]))
        if (connection && !connection.socket) this._adopt(connection, open)
      }
    }
  }

  _adopt(connection, open) {
    this._native.command(OP.ATTACH, connection)
    const socket = new AGServerSocket(this, connection)
    connection.socket = socket
    this._startMiddlewares(socket)
    socket._adopt(open)
  }

  /** Open sockets by id. */
  get clients() {
    this._interest.touchClients()
    return this._clients.byId
  }

  get clientsCount() {
    return this._clients.count + (this._native ? this._native.stats().openWithoutJs : 0)
  }

  /** Sockets before their handshake, by id. */
  get pendingClients() {
    this._interest.touchClients()
    return this._pendingClients.byId
  }

  get pendingClientsCount() {
    return this._pendingClients.count + (this._native ? this._native.stats().pendingWithoutJs : 0)
  }

  // ---- codec ----

  /** A payload of the core's, as the app's codec or JSON has it. */
  _decodeData(json) {
    return json === undefined ? undefined : this._decodePayload(JSON.parse(json))
  }

  /** What a payload is to the app, given what its JSON text stands for. */
  _decodePayload(value) {
    return this._codecBridge.active ? this._codecBridge.decodePayload(value) : value
  }

  /** What outbound middleware's `useCache` sends: a publish as it was, encoded once for all. */
  _publishOptions(packet) {
    const { codec } = this
    let encoded
    return {
      get stringifiedData() {
        if (encoded === undefined) encoded = codec.encode({ event: '#publish', data: packet })
        return encoded
      },
    }
  }

  // ---- public ----

  setAuthEngine(authEngine) {
    this.auth = authEngine
  }

  setCodecEngine(codecEngine) {
    this.codec = codecEngine
    this.brokerEngine.setCodecEngine(codecEngine)
  }

  emitError(error) {
    this.emit('error', { error })
  }

  emitWarning(warning) {
    this.emit('warning', { warning })
  }

  _handleServerError(error) {
    this.emitError(typeof error === 'string' ? new scErrors.ServerProtocolError(error) : error)
  }

  /**
   * Takes no more connections and, unless told otherwise, drops the open ones; with streams, also ends
   * consumers and closes the storage.
   * @param {boolean} [keepSocketsOpen]
   */
  close(keepSocketsOpen) {
    this.isReady = false
    const closed = this._closing || this._stopServing()
    this._native.flush()
    if (!keepSocketsOpen) this._native.core.terminateOpen()
    this._native.stopWhenIdle()
    if (this._streams.on && !keepSocketsOpen && !this._closed) {
      this._closing = closed.then(() => this._native.closeStorage())
      return this._closing
    }
    return this._closed ? Promise.reject(new Error('The server is not running')) : closed
  }

  _stopServing() {
    if (this.httpServer) {
      upgrades.detach(this.httpServer, this)
      metricsEndpoint.detach(this.httpServer, this)
      this.httpServer.removeListener('error', this._onHttpError)
    }
    if (this._streams.on) this.exchange._closeConsumers()
    this._closing = new Promise((resolve) => {
      process.nextTick(() => {
        this._closed = true
        resolve(undefined)
      })
    })
    return this._closing
  }

  /** Figures for monitoring: see docs/api. */
  metrics() {
    return metrics.collect(this, false)
  }

  getPath() {
    return this._path
  }

  generateId() {
    return generateId()
  }
}

middleware.install(AGServer)
hooks.installLiveProperties(AGServer)
AGServer.prototype.verifyHandshake = verifyHandshake

replaceable(AGServer.prototype, [
  'clients',
  'clientsCount',
  'pendingClients',
  'pendingClientsCount',
])

/** What SocketCluster's servers have as properties of their own. */
const LIVE = ownAccessors(AGServer.prototype)

module.exports = AGServer
