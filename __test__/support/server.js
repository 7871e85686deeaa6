'use strict'

const http = require('node:http')
const https = require('node:https')
const socketClusterClient = require('socketcluster-client')
const { certificate } = require('./certificate')
const { consume, eventually, once, record, within } = require('./events')
const { RawClient } = require('./raw-client')
const subject = require('./subject')

const AUTH_KEY = 'a-key-which-only-the-tests-know-0123456789'
const HOST = '127.0.0.1'

/** A running server together with all that a test opens against it. */
class Running {
  constructor(server, httpServer, { secure, watch }) {
    this.server = server
    this.httpServer = httpServer
    this.secure = secure
    this.port = httpServer.address() ? httpServer.address().port : 0
    this.sockets = []
    this._raw = []
    this._clients = []
    if (!watch) return
    this.warnings = record(server, 'warning')
    this.errors = record(server, 'error')
    consume(server.listener('connection'), ({ socket }) => {
      this.sockets.push(socket)
    })
  }

  warningNames() {
    return this.warnings.map(({ warning }) => warning.name)
  }

  /** A raw client whose connection is upgraded (or refused), before the handshake. */
  async open(options = {}) {
    const raw = new RawClient({ port: this.port, secure: this.secure, ...options })
    this._raw.push(raw)
    await raw.open()
    return raw
  }

  /** A raw client which has completed the handshake. */
  async raw({ handshake, ...options } = {}) {
    const raw = await this.open(options)
    await raw.handshake(handshake)
    return raw
  }

  /** A client of the client library; it connects at once and never again. */
  client(options = {}) {
    const client = socketClusterClient.create({
      hostname: HOST,
      port: this.port,
      secure: this.secure,
      autoReconnect: false,
      authTokenName: `test-${this.port}-${this._clients.length}`,
      wsOptions: this.secure ? { rejectUnauthorized: false } : {},
      ...options,
    })
    this._clients.push(client)
    return client
  }

  /** A connected client and its socket on the server. */
  async pair(options) {
    const client = this.client(options)
    const { id } = await once(client, 'connect')
    return { client, socket: await this.socketOf(id) }
  }

  /** A raw client after its handshake and its socket on the server. */
  async rawPair(options) {
    const client = await this.raw(options)
    return { client, socket: await this.socketOf(client.id) }
  }

  /** The socket of an id, which a client may know a moment before JavaScript does. */
  socketOf(id) {
    return eventually(() => this.server.clients[id], `socket ${id}`)
  }

  /** Answers a procedure on every socket which connects from now on. */
  procedure(name, answer) {
    this.onConnection((socket) => {
      consume(socket.procedure(name), (request) => answer(request, socket))
    })
  }

  onConnection(visit) {
    consume(this.server.listener('connection'), ({ socket }) => {
      visit(socket)
    })
  }

  counts() {
    const { clientsCount, pendingClientsCount, clients, pendingClients } = this.server
    const lists = Object.keys(clients).length + Object.keys(pendingClients).length
    return clientsCount + pendingClientsCount + lists
  }

  /** Resolves when the server counts no client any more. */
  untilEmpty(timeout) {
    return eventually(() => this.counts() === 0, 'server without clients', timeout)
  }

  /** Proves that the server still serves: a new client gets its own publication back. */
  async assertServes() {
    const raw = await this.raw()
    const channel = `alive-${Math.random()}`
    await raw.subscribe(channel)
    await raw.publish(channel, 'here')
    await raw.until(() => raw.published(channel).length === 1, 'publication of a live server')
    raw.destroy()
  }

  async stop() {
    for (const client of this._clients) client.disconnect()
    for (const raw of this._raw) raw.destroy()
    if (!this.closed) await within(this.close(), 'end of server.close()')
    this.httpServer.closeAllConnections()
    if (this.httpServer.listening) {
      await within(new Promise((resolve) => this.httpServer.close(resolve)), 'closed http server')
    }
    this.server.closeAllListeners()
  }

  close(...args) {
    this.closed = true
    return this.server.close(...args)
  }
}

/**
 * Starts a server on a free port. `secure` takes https, `httpServer` a server of the caller, and
 * `watch: false` leaves the server without any listener, `lib` is another module than the subject;
 * all other options go to `attach`. The transport `listen` is `listen` in place of `attach`, where
 * there is nothing to attach to.
 */
async function startServer(given = {}) {
  const { secure = false, watch = true, httpServer, lib = subject, ...options } = given
  if (options.transport === 'listen') {
    options.transport = 'auto'
    if (!secure && !httpServer) return startListening({ watch, lib, ...options })
  }
  const web = httpServer || (secure ? https.createServer(certificate()) : http.createServer())
  const server = lib.attach(web, { authKey: AUTH_KEY, ...options })
  const ready = server.isReady ? null : once(server, 'ready')
  if (!web.listening) await new Promise((resolve) => web.listen(0, HOST, resolve))
  await ready
  return new Running(server, web, { secure, watch })
}

/** The same by `listen`, on a free port. */
async function startListening(given = {}) {
  const { watch = true, lib = subject, ...options } = given
  const server = lib.listen(0, { authKey: AUTH_KEY, ...options })
  const { httpServer } = server
  const ready = server.isReady ? null : once(server, 'ready')
  await new Promise((resolve) => httpServer.once('listening', resolve))
  await ready
  return new Running(server, httpServer, { secure: false, watch })
}

module.exports = { AUTH_KEY, HOST, Running, startListening, startServer }
