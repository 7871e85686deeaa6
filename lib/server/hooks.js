'use strict'

// What the core must know of JavaScript: the settings it decides by, the decisions that are the
// app's, the events somebody listens for. All are read at each use, so assignments count at once.

const formatter = require('sc-formatter')
const Broker = require('../exchange/broker')
const { inboundLimits } = require('./options')

/** Decisions the app takes; `engine::config::hook`. */
const HOOK = {
  handshake: 1,
  inboundRaw: 2,
  inbound: 4,
  outbound: 8,
  CODEC: 16,
  AUTH: 32,
  BROKER: 64,
  REQUEST: 128,
  BROKER_PUBLISH: 256,
}

/** Server events the core is told about; `engine::config::interest`. */
const INTEREST = new Map([
  ['warning', 1],
  ['subscription', 16],
  ['unsubscription', 32],
])

/** Broker events, by their bits in Broker; `engine::config::interest`. */
const BROKER_INTEREST = new Map([
  [Broker.INTEREST_SUBSCRIBE, 2],
  [Broker.INTEREST_UNSUBSCRIBE, 4],
  [Broker.INTEREST_PUBLISH, 8],
])

/** Server events that carry no socket. */
const WITHOUT_SOCKET = new Set(['error', 'warning', 'ready'])

/** Properties of a server that may be assigned while it runs. */
const LIVE = [
  'handshakeTimeout',
  'pingInterval',
  'pingTimeout',
  'pingTimeoutDisabled',
  'allowClientPublish',
  'socketChannelLimit',
  'protocolVersion',
  'strictHandshake',
]
const LIVE_ENGINES = ['auth', 'codec', 'verificationKey', 'defaultVerificationOptions']

/**
 * @typedef {{
 *   handshakeTimeout: number,
 *   pingInterval: number,
 *   pingTimeout: number,
 *   pingTimeoutDisabled: boolean,
 *   allowClientPublish: boolean,
 *   socketChannelLimit: number | undefined,
 *   protocolVersion: 1 | 2,
 *   strictHandshake: boolean,
 *   auth: any,
 *   codec: any,
 *   verificationKey: any,
 *   defaultVerificationOptions: any,
 * }} LiveProperties
 */

function liveValues(options) {
  const values = {}
  for (const name of LIVE) values[name] = options[name]
  return values
}

/** Defines accessors that tell the core of an assignment. */
function installLiveProperties(Server) {
  for (const name of [...LIVE, ...LIVE_ENGINES]) {
    Object.defineProperty(Server.prototype, name, {
      get() {
        return this._live[name]
      },
      set(value) {
        this._live[name] =
          name === 'defaultVerificationOptions' ? watched(value, () => this._reconfigure()) : value
        this._reconfigure()
      },
      configurable: true,
    })
  }
}

/** An object that calls `changed` when a property is set or deleted. */
function watched(target, changed) {
  if (typeof target !== 'object' || target === null) return target
  return new Proxy(target, {
    set(object, key, value) {
      object[key] = value
      changed()
      return true
    },
    deleteProperty(object, key) {
      delete object[key]
      changed()
      return true
    },
  })
}

/** Which decisions are the app's. */
function hooks(server) {
  let bits = 0
  for (const type of server._middleware.keys()) bits |= HOOK[type]
  if (server._codecBridge.active) bits |= HOOK.CODEC
  if (!nativeVerification(server)) bits |= HOOK.AUTH
  // With outbound middleware a publish is answered when that has seen it.
  if (!nativeBroker(server)) bits |= HOOK.BROKER
  else if (bits & HOOK.outbound) bits |= server._streams.on ? HOOK.BROKER_PUBLISH : HOOK.BROKER
  if (server.options.requestCreator) bits |= HOOK.REQUEST
  return bits
}

/** The settings the core decides by. */
function nativeConfig(server) {
  const { options } = server
  return {
    pingTimeout: Number(server.pingTimeout),
    pingInterval: Number(server.pingInterval),
    pingTimeoutDisabled: !!server.pingTimeoutDisabled,
    handshakeTimeout: Number(server.handshakeTimeout),
    strictHandshake: !!server.strictHandshake,
    allowClientPublish: !!server.allowClientPublish,
    socketChannelLimit: Number(server.socketChannelLimit) || 0,
    ...inboundLimits(options),
    protocolVersion: server.protocolVersion === 1 ? 1 : 2,
    batchOnHandshake: !!options.batchOnHandshake,
    batchOnHandshakeDuration: Number(options.batchOnHandshakeDuration),
    batchInterval: Number(options.batchInterval),
    hooks: hooks(server),
    interest: server._interest.bits,
  }
}

function configure(server) {
  const { core } = server._native
  server._native.flush()
  if (server.auth !== undefined && nativeVerification(server)) {
    const { algorithms } = server.defaultVerificationOptions
    core.setVerifier(Buffer.from(server.verificationKey), algorithms)
  }
  const config = nativeConfig(server)
  server._hooks = config.hooks
  core.configure(config)
}

/** Whether the core can judge tokens just as the default engine would. */
function nativeVerification(server) {
  const { auth, verificationKey, defaultVerificationOptions } = server
  // Not there yet while the server is made.
  if (auth === undefined) return true
  if (auth !== server._defaultAuth) return false
  if (auth.verifyToken !== Object.getPrototypeOf(auth).verifyToken) return false
  const isText = typeof verificationKey === 'string'
  if (!isText && !(Buffer.isBuffer(verificationKey) && verificationKey.length)) return false
  if (!defaultVerificationOptions) return false
  const { algorithms, ...others } = defaultVerificationOptions
  if (Object.keys(others).length) return false
  return algorithms === undefined || isStringArray(algorithms)
}

function isStringArray(value) {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

const BROKER_METHODS = [
  'subscribeSocket',
  'unsubscribeSocket',
  'transmitPublish',
  'invokePublish',
  'exchange.invokePublish',
]

/** Whether sockets subscribe and publish within the core. */
function nativeBroker(server) {
  const { brokerEngine } = server
  // Not there yet while the server is made.
  if (!brokerEngine) return true
  if (!(brokerEngine instanceof Broker)) return false
  return !BROKER_METHODS.some((name) => brokerEngine._isPatched(name))
}

/** Who listens for what on a server and its broker. */
class Interest {
  constructor(server) {
    this.server = server
    this.bits = 0
    /** Somebody wants to see sockets. */
    this.sockets = false
    this._events = new Set()
    this._clientsTouched = false
  }

  set(eventName, on) {
    const bit = INTEREST.get(eventName)
    if (bit) this._setBit(bit, on)
    if (WITHOUT_SOCKET.has(eventName)) return
    if (on) this._events.add(eventName)
    else this._events.delete(eventName)
    this._update()
  }

  setBroker(brokerBit, on) {
    const bit = BROKER_INTEREST.get(brokerBit)
    if (bit) this._setBit(bit, on)
  }

  /** `clients` was read: from now on every connection has its socket. */
  touchClients() {
    if (this._clientsTouched || !this.server._native) return
    this._clientsTouched = true
    this._update()
  }

  _setBit(bit, on) {
    this.bits = on ? this.bits | bit : this.bits & ~bit
    this.server._reconfigure()
  }

  _update() {
    const before = this.sockets
    this.sockets = this._clientsTouched || this._events.size > 0
    if (this.sockets === before) return
    if (this.server._entrance) this.server._entrance.update()
    if (this.sockets) this.server._adoptAll()
  }
}

/** Sockets by id, in a plain object as apps know it; ids are the server's own. */
class ClientTable {
  constructor() {
    this.byId = {}
    this.count = 0
  }

  has(socket) {
    return this.byId[socket.id] === socket
  }

  add(socket) {
    if (this.has(socket)) return
    this.byId[socket.id] = socket
    this.count++
  }

  delete(socket) {
    if (!this.has(socket)) return
    delete this.byId[socket.id]
    this.count--
  }
}

function isDefaultCodec(codec) {
  return (
    codec === formatter ||
    (!!codec && codec.encode === formatter.encode && codec.decode === formatter.decode)
  )
}

module.exports = {
  ClientTable,
  Interest,
  configure,
  hooks,
  installLiveProperties,
  isDefaultCodec,
  liveValues,
  nativeConfig,
  watched,
}
