'use strict'

// Upgrade requests of an http.Server: which server they are for, whether they are let in, and how
// their socket gets to the core.

const { EventEmitter } = require('events')
const net = require('net')
const native = require('../core/native')
const { OP } = require('../core/commands')
const Bridge = require('./bridge')
const { emitOf } = require('./metrics-endpoint')
const { admits, verifyHandshake } = require('./origin')
const { isPlain, textOf } = require('./request')

const BRIDGE_ONLY = process.env.ES_NETWORKCLUSTER_TRANSPORT === 'bridge'

/**
 * All servers attached to one http.Server share one listener.
 * @type {WeakMap<object, { servers: Set<import('./server')>, listener: Function, changed?: Function }>}
 */
const attached = new WeakMap()

/** Serves the upgrade requests of `httpServer` for `server`. */
function attach(httpServer, server) {
  let entry = attached.get(httpServer)
  if (!entry) {
    const servers = new Set()
    const listener = (request, socket, head) => route(httpServer, servers, request, socket, head)
    entry = { servers, listener }
    attached.set(httpServer, entry)
    httpServer.on('upgrade', listener)
  }
  entry.servers.add(server)
  if (entry.changed) entry.changed()
}

/** Stops serving; other servers on the same http.Server go on. */
function detach(httpServer, server) {
  const entry = attached.get(httpServer)
  if (!entry || !entry.servers.delete(server)) return
  if (entry.changed) entry.changed()
  if (entry.servers.size) return
  attached.delete(httpServer)
  httpServer.removeListener('upgrade', entry.listener)
}

/** Whether it is the only server on `httpServer`. */
function servesAlone(httpServer, server) {
  const entry = attached.get(httpServer)
  return !!entry && entry.servers.size === 1 && entry.servers.has(server)
}

/** Calls `changed` when servers come and go. */
function onChange(httpServer, changed) {
  const entry = attached.get(httpServer)
  if (entry) entry.changed = changed
}

function route(httpServer, servers, request, socket, head) {
  const pathname = pathOf(request.url)
  for (const server of servers) {
    if (server._webSocket.path == null || server._webSocket.path === pathname) {
      if (isUnseen(server, httpServer, request, socket)) {
        return upgradeUnseen(server, request, socket, head)
      }
      return upgrade(server, request, socket, head)
    }
  }
  // Somebody else's path is left to them, where there is somebody else.
  if (httpServer.listenerCount('upgrade') > 1) return undefined
  return refuse(socket, 400, '')
}

function pathOf(url) {
  const query = url.indexOf('?')
  return query === -1 ? url : url.slice(0, query)
}

/** Whether the app gets to see nothing of the request before the core has its socket. */
function isUnseen(server, httpServer, request, socket) {
  return (
    !server.hasMiddleware(server.MIDDLEWARE_HANDSHAKE) &&
    server.verifyHandshake === verifyHandshake &&
    !server._webSocket.handleProtocols &&
    emitOf(httpServer) === EventEmitter.prototype.emit &&
    httpServer.listenerCount('upgrade') === 1 &&
    // The one of Node.js.
    httpServer.listenerCount('connection') === 1 &&
    canTakeOver(server, socket) &&
    isPlain(request, httpServer) &&
    admits(server, request)
  )
}

/** Checks a request and takes it on in one call; its message is not kept. */
function upgradeUnseen(server, request, socket, head) {
  const { _native: link } = server
  const eager = server._wantsSockets()
  const rest = unread(socket, head)
  let id
  let arrival
  try {
    id = server.generateId()
    const bytes = rest.length ? rest : undefined
    const lines = 1 + request.rawHeaders.length
    const text = textOf(request)
    arrival = link.core.attachRequest(fdOf(socket), bytes, id, eager, text, lines)
  } catch {
    return upgrade(server, request, socket, rest)
  }
  if (arrival.response !== undefined) {
    link.rejectedUpgrades++
    return answer(socket, arrival.response)
  }
  socket.destroy()
  if (!eager) return link.holdProcess()
  return welcome(server, link.add(arrival.connection, id, arrival.request))
}

function upgrade(server, request, socket, head) {
  const onError = () => socket.destroy()
  socket.on('error', onError)
  const checked = native.checkUpgrade(
    request.method,
    headerList(request.headers),
    server._webSocket.deflate,
  )
  if ('response' in checked) {
    server._native.rejectedUpgrades++
    return answer(socket, checked.response)
  }
  const info = { origin: checked.origin, secure: isSecure(socket), req: request }
  return server.verifyHandshake(info, (verified, status, message) => {
    socket.removeListener('error', onError)
    if (!verified) {
      server._native.rejectedUpgrades++
      return refuse(socket, status || 401, message || '')
    }
    // The peer may be gone by now.
    if (!socket.readable || !socket.writable) return socket.destroy()
    return complete(server, request, socket, head, checked)
  })
}

function headerList(headers) {
  const list = []
  for (const name of Object.keys(headers)) list.push(name, String(headers[name]))
  return list
}

function isSecure(socket) {
  return !!(socket.authorized || socket.encrypted)
}

/** Takes the connection on. What fails costs this connection only. */
function complete(server, request, socket, head, checked) {
  try {
    const protocol = chooseProtocol(server, request, checked.protocols)
    const eager = server._wantsSockets()
    const rest = unread(socket, head)
    const accepted = { request, id: server.generateId(), eager, checked, protocol }
    if (takeOver(server, socket, rest, accepted)) return
    bridge(server, socket, rest, accepted)
  } catch (error) {
    socket.on('error', () => {})
    socket.destroy()
    server.emitError(error)
  }
}

/** Hands the socket to the core, if that is possible. */
function takeOver(server, socket, rest, { request, id, eager, checked, protocol }) {
  const { _native: link } = server
  // The address is read while the socket still knows it.
  if (!canTakeOver(server, socket) || socket.remoteAddress === undefined) return false
  let address
  try {
    address = link.core.attachFd(fdOf(socket), rest, id, eager, checked, protocol)
  } catch {
    // No descriptor is left for a copy: the bridge needs none.
    return false
  }
  const connection = link.add(address, id, request)
  socket.on('error', () => {})
  keepLocalAddress(socket)
  socket.destroy()
  if (eager) welcome(server, connection)
  return true
}

/** The app gets to see a connection before its messages come in. */
function welcome(server, connection) {
  const { _native: link } = server
  server._onConnection(connection, true)
  link.whenSeen(() => link.command(OP.START, connection))
}

function bridge(server, socket, rest, { request, id, eager, checked, protocol }) {
  const { _native: link } = server
  if (socket.setTimeout) socket.setTimeout(0)
  if (socket.setNoDelay) socket.setNoDelay()
  const connection = link.add(link.core.attachBridge(id, eager, checked, protocol), id, request)
  server._onConnection(connection, eager)
  new Bridge(link, socket).start(connection, rest)
}

/** Apps ask `request.socket`, which forgets it with its descriptor; the remote one it remembers. */
function keepLocalAddress(socket) {
  for (const name of ['localAddress', 'localPort', 'localFamily']) {
    const value = socket[name]
    Object.defineProperty(socket, name, { value, configurable: true })
  }
}

function chooseProtocol(server, request, protocols) {
  if (!protocols.length) return undefined
  const { handleProtocols } = server._webSocket
  if (!handleProtocols) return protocols[0]
  return handleProtocols(new Set(protocols), request) || undefined
}

/** Everything that was read from the socket and not handed on yet. */
function unread(socket, head) {
  if (socket.readableLength === 0 && head) return head
  const chunks = head && head.length ? [head] : []
  for (let chunk = socket.read(); chunk !== null; chunk = socket.read()) chunks.push(chunk)
  return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)
}

/** A socket's file descriptor; -1 if it has none. */
function fdOf(socket) {
  return socket._handle ? socket._handle.fd : -1
}

/** Whether no socket is to leave Node.js. */
function isBridged(server) {
  return BRIDGE_ONLY || server.options.transport === 'bridge'
}

// Only a plain TCP socket has nothing between its descriptor and the wire.
function canTakeOver(server, socket) {
  if (isBridged(server)) return false
  return (
    process.platform !== 'win32' &&
    socket instanceof net.Socket &&
    !(/** @type {any} */ (socket).encrypted) &&
    fdOf(socket) >= 0 &&
    socket.writableLength === 0
  )
}

function refuse(socket, status, message) {
  answer(socket, native.rejection(status, String(message)))
}

function answer(socket, response) {
  socket.on('error', () => socket.destroy())
  socket.once('finish', () => socket.destroy())
  socket.end(response)
}

module.exports = { attach, detach, isBridged, onChange, servesAlone, welcome }
