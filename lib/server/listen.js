'use strict'

// The http.Server of `listen()`: the core accepts its connections, keeps the WebSockets that need no
// decision of JavaScript's, and hands all others to the http.Server from their first byte.

/** @type {any} */ const cluster = require('cluster')
const { EventEmitter } = require('events')
const fs = require('fs')
const net = require('net')
const AGServer = require('./server')
const { verifyHandshake } = require('./origin')
const { emitOf } = require('./metrics-endpoint')
const upgrades = require('./upgrade')

// Longest delay of a Node.js timer.
const FOREVER = 0x7fffffff

const { generateId } = AGServer.prototype

/** Has the core accept what `httpServer` is told to listen for, where it can. */
function install(httpServer, server) {
  if (process.platform === 'win32' || cluster.isWorker || upgrades.isBridged(server)) return
  const entrance = new Entrance(httpServer, server)
  server._entrance = entrance
  const value = (...args) => entrance.listen(args)
  Object.defineProperty(httpServer, 'listen', { value, writable: true, configurable: true })
}

/** The listening handle of the http.Server: it has what net.Server wants of one. */
class Entrance {
  constructor(httpServer, server) {
    this.httpServer = httpServer
    this.server = server
    /** What it is bound to, while it listens. */
    this.bound = undefined
    this._keepAlive = undefined
    this._watch()
  }

  listen(args) {
    const { httpServer } = this
    if (httpServer._handle || !this._open(portOf(args))) {
      return net.Server.prototype.listen.apply(httpServer, args)
    }
    if (args[1]) httpServer.once('listening', args[1])
    httpServer._handle = this
    this._keepAlive = setInterval(() => this, FOREVER)
    if (httpServer._unref) this.unref()
    this.update()
    process.nextTick(() => {
      if (httpServer._handle === this) httpServer.emit('listening')
    })
    return httpServer
  }

  // What cannot be bound, Node.js tries again: the error is its own.
  _open(port) {
    if (port === undefined) return false
    const { _native: link } = this.server
    try {
      this.bound = link.core.listen(port)
    } catch {
      return false
    }
    link.listening = true
    return true
  }

  // ---- net.Server's side ----

  getsockname(out) {
    Object.assign(out, this.bound)
    return 0
  }

  ref() {
    this._keepAlive.ref()
    this.update()
  }

  unref() {
    this._keepAlive.unref()
    this.update()
    this.server._native.holdWhileConnected()
  }

  hasRef() {
    return this._keepAlive.hasRef()
  }

  close() {
    this.bound = undefined
    clearInterval(this._keepAlive)
    this.server._native.stopListening()
  }

  // ---- the core's side ----

  /** Takes a connection that is not the core's; `bytes` were read from it already. */
  take(bytes) {
    const { httpServer } = this
    const socket = this._socket()
    if (!socket) return
    const { maxConnections, _connections } = httpServer
    if (maxConnections != null && _connections >= maxConnections) {
      socket.destroy()
      httpServer.emit('drop', {})
      return
    }
    if (httpServer.noDelay) socket.setNoDelay(true)
    if (httpServer.keepAlive) socket.setKeepAlive(true, httpServer.keepAliveInitialDelay)
    httpServer._connections++
    Object.assign(socket, { server: httpServer, _server: httpServer })
    socket.unshift(bytes)
    httpServer.emit('connection', socket)
  }

  _socket() {
    const fd = this.server._native.core.takeHanded()
    if (fd < 0) return undefined
    try {
      const { highWaterMark } = this.httpServer
      const marks = { readableHighWaterMark: highWaterMark, writableHighWaterMark: highWaterMark }
      const options = { fd, allowHalfOpen: true, readable: true, writable: true, ...marks }
      return /** @type {any} */ (new net.Socket(options))
    } catch {
      // The client has gone meanwhile.
      fs.closeSync(fd)
      return undefined
    }
  }

  // ---- which connections are the core's ----

  /** Tells the core how to receive connections from now on. */
  update() {
    if (this.bound) this.server._native.core.receive(this._reception())
  }

  _reception() {
    const { server } = this
    if (!this._keepAlive.hasRef() || this._isSeen()) return undefined
    const path = server._webSocket.path ?? undefined
    const reception = { path, eager: server._wantsSockets() }
    if (server._allowAllOrigins) return reception
    const { origins } = server
    if (typeof origins === 'string') return { ...reception, originsText: origins }
    if (!Array.isArray(origins) || !origins.every((it) => typeof it === 'string')) return undefined
    return { ...reception, originsList: origins }
  }

  /** Whether somebody in JavaScript is to see or decide on upgrade requests. */
  _isSeen() {
    const { httpServer, server } = this
    return (
      server.hasMiddleware(server.MIDDLEWARE_HANDSHAKE) ||
      server.verifyHandshake !== verifyHandshake ||
      server.generateId !== generateId ||
      !!server._webSocket.handleProtocols ||
      !upgrades.servesAlone(httpServer, server) ||
      emitOf(httpServer) !== EventEmitter.prototype.emit ||
      httpServer.maxHeadersCount != null ||
      httpServer.listenerCount('upgrade') !== 1 ||
      // The one of Node.js.
      httpServer.listenerCount('connection') !== 1
    )
  }

  _watch() {
    const { httpServer, server } = this
    const update = () => this.update()
    const changed = (name) => {
      // It is told before the listener is there.
      if (name === 'upgrade' || name === 'connection') queueMicrotask(update)
    }
    httpServer.on('newListener', changed)
    httpServer.on('removeListener', changed)
    upgrades.onChange(httpServer, update)
    for (const name of ['origins', 'verifyHandshake', 'generateId']) watch(server, name, update)
  }
}

/** Calls `changed` when a property is assigned. */
function watch(object, name, changed) {
  const enumerable = Object.hasOwn(object, name)
  let own = enumerable ? { value: object[name] } : undefined
  Object.defineProperty(object, name, {
    get: () => (own ? own.value : Object.getPrototypeOf(object)[name]),
    set(value) {
      own = { value }
      changed()
    },
    enumerable,
    configurable: true,
  })
}

/** The port in the arguments of `listen(port, callback)`; nothing for any other form. */
function portOf([port, callback, ...more]) {
  if (more.length || (callback !== undefined && typeof callback !== 'function')) return undefined
  const isNumber = typeof port === 'number' || (typeof port === 'string' && /^\d+$/.test(port))
  const number = isNumber ? Number(port) : -1
  return Number.isInteger(number) && number >= 0 && number <= 65535 ? number : undefined
}

module.exports = { install }
