'use strict'

// An upgrade request as the text the core keeps, and the message apps know, made of that text when
// somebody asks. `src/engine/ws/request.rs` describes the text; a line with the remote and the local
// address and port stands before it.

const http = require('http')
const net = require('net')
const WritableConsumableStream = require('writable-consumable-stream')

// Node.js leaves out headers beyond these.
const MAX_LINES = 2000

/** The text of a message; its lines are the request line and `rawHeaders`. */
function textOf({ method, url, httpVersion, rawHeaders }) {
  return `${method} ${url} HTTP/${httpVersion}\n${rawHeaders.join('\n')}`
}

/** Whether a message is just what its text says: nobody has given it anything else. */
function isPlain(request, httpServer) {
  return (
    Object.getPrototypeOf(request) === http.IncomingMessage.prototype &&
    Object.keys(request).length === plainKeys() &&
    httpServer.maxHeadersCount == null &&
    request.rawHeaders.length <= MAX_LINES
  )
}

let keys
function plainKeys() {
  keys ??= Object.keys(messageOf('- 0 - 0\nGET / HTTP/1.1', undefined)).length
  return keys
}

/**
 * The upgrade request of a connection; it is made once.
 * @param {{ request: any }} connection
 * @param {import('./server')} server
 * @returns {http.IncomingMessage}
 */
function requestOf(connection, server) {
  const { request } = connection
  if (typeof request !== 'string') return request
  const message = messageOf(request, server.httpServer)
  const stream = new WritableConsumableStream()
  stream.type = server.MIDDLEWARE_HANDSHAKE
  message[server.SYMBOL_MIDDLEWARE_HANDSHAKE_STREAM] = stream
  connection.request = message
  return message
}

/** The remote address and port of a connection: of its text, or of its message. */
function remoteOf({ request }) {
  if (typeof request !== 'string') return request.connection || request
  return addressesOf(request.slice(0, request.indexOf('\n')))
}

function addressesOf(line) {
  const [remoteAddress, remotePort, localAddress, localPort] = line.split(' ')
  return {
    remoteAddress,
    remotePort: Number(remotePort),
    remoteFamily: familyOf(remoteAddress),
    localAddress,
    localPort: Number(localPort),
    localFamily: familyOf(localAddress),
  }
}

function familyOf(address) {
  return address.includes(':') ? 'IPv6' : 'IPv4'
}

function messageOf(text, httpServer) {
  const [addresses, line, ...rawHeaders] = text.split('\n')
  const message = new http.IncomingMessage(socketOf(addresses, httpServer))
  const [major, minor] = line.slice(line.lastIndexOf('/') + 1).split('.')
  /** @type {any} */ const fields = message
  fields.httpVersionMajor = Number(major)
  fields.httpVersionMinor = Number(minor)
  fields.httpVersion = `${major}.${minor}`
  fields.method = line.slice(0, line.indexOf(' '))
  fields.url = line.slice(line.indexOf(' ') + 1, line.lastIndexOf(' '))
  fields.joinDuplicateHeaders = httpServer?.joinDuplicateHeaders || null
  fields.upgrade = true
  fields.parser = null
  fields._addHeaderLines(rawHeaders, rawHeaders.length)
  fields.complete = true
  message.push(null)
  return message
}

/** In place of the socket that was given away: ended, but it knows its addresses. */
function socketOf(addresses, httpServer) {
  const socket = new net.Socket({ allowHalfOpen: true })
  socket.destroy()
  for (const [name, value] of Object.entries(addressesOf(addresses))) {
    Object.defineProperty(socket, name, { value, configurable: true })
  }
  return Object.assign(socket, { server: httpServer, parser: null })
}

module.exports = { isPlain, remoteOf, requestOf, textOf }
