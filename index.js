'use strict'

const http = require('http')
const AGServer = require('./lib/server/server')
const listening = require('./lib/server/listen')
const AGServerSocket = require('./lib/socket/socket')
const AGRequest = require('ag-request')
const StreamError = require('./lib/core/stream-error')

/** @typedef {import('./types/options').AGServerOptions} AGServerOptions */

/**
 * Creates an http.Server of its own, used for WebSocket upgrades only, and listens. Where it can, the
 * core accepts the connections.
 *
 * @param {number | import('net').ListenOptions} port
 * @param {AGServerOptions | (() => void)} [options] see AGServer
 * @param {() => void} [callback] once it listens
 * @returns {AGServer}
 */
function listen(port, options, callback) {
  if (typeof options === 'function') return listen(port, {}, options)
  const httpServer = http.createServer((_request, response) => {
    response.writeHead(501)
    response.end('Not Implemented')
  })
  const server = attach(httpServer, options)
  server.httpServer = httpServer
  listening.install(httpServer, server)
  httpServer.listen(port, callback)
  return server
}

/**
 * Serves the upgrade requests of an http.Server or https.Server.
 *
 * @param {import('http').Server} httpServer
 * @param {AGServerOptions} [options] see AGServer; gets the property `httpServer`
 * @returns {AGServer}
 */
function attach(httpServer, options) {
  const all = options == null ? {} : options
  all.httpServer = httpServer
  return new AGServer(all)
}

module.exports = { AGServer, AGServerSocket, AGRequest, StreamError, listen, attach }
