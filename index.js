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

/** @returns {typeof import('./lib/machines/index.js')} */
const machines = () => require('./lib/machines/index.js')
const errors = () => require('./lib/core/network-cluster-error.js')

/**
 * Shared memory, events and parallel work: read when they are first asked for, as a server may do
 * without them.
 * @type {Record<string, () => unknown>}
 */
const lazy = {
  SharedMemoryClass: () => require('./lib/memory/index.js').SharedMemoryClass,
  SharedEventEmitterClass: () => require('./lib/events/shared-event-emitter.js'),
  IteratorClass: () => require('./lib/compute/iterator.js').IteratorClass,
  ScalabilityManager: () => machines().ScalabilityManager,
  ScalabilityManagerClass: () => machines().Manager,
  Manager: () => machines().Manager,
  Worker: () => machines().Worker,
  Data: () => machines().Data,
  EventEmitter: () => machines().EventEmitter,
  Proxy: () => machines().Proxy,
  Adaptable: () => machines().Adaptable,
  ManagerMachine: () => machines().Manager,
  WorkerMachine: () => machines().Worker,
  DataMachine: () => machines().Data,
  EventEmitterMachine: () => machines().EventEmitter,
  ProxyMachine: () => machines().Proxy,
  AdaptableMachine: () => machines().Adaptable,
  NetworkClusterError: () => errors().NetworkClusterError,
  CapturedVariablesError: () => errors().CapturedVariablesError,
  TaskError: () => errors().TaskError,
}

for (const [name, get] of Object.entries(lazy)) {
  Object.defineProperty(module.exports, name, { get, enumerable: true, configurable: true })
}
