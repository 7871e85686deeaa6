'use strict'

// The `metricsPath` option: an http.Server answers one path with the figures of the servers on it.
// All other requests go where they went before.

const { monitorEventLoopDelay } = require('perf_hooks')
const { collect } = require('./metrics')
const { CONTENT_TYPE, render } = require('./prometheus')

/** Milliseconds between two looks at the event loop. */
const RESOLUTION = 20
const NS_PER_MS = 1e6

/**
 * All servers on one http.Server share an endpoint.
 * @type {WeakMap<object, Endpoint>}
 */
const endpoints = new WeakMap()

/** Answers `server.options.metricsPath` on `httpServer`. */
function attach(httpServer, server) {
  let endpoint = endpoints.get(httpServer)
  if (!endpoint) {
    endpoint = new Endpoint(httpServer)
    endpoints.set(httpServer, endpoint)
  }
  endpoint.add(server)
}

/** Stops that; other servers on the same http.Server go on. */
function detach(httpServer, server) {
  const endpoint = endpoints.get(httpServer)
  if (!endpoint) return
  endpoint.remove(server)
  if (endpoint.servers.size === 0 && endpoint.restore()) endpoints.delete(httpServer)
}

/** What an http.Server's events pass through, apart from an endpoint here. */
function emitOf(httpServer) {
  const endpoint = endpoints.get(httpServer)
  return endpoint && httpServer.emit === endpoint._emit ? endpoint._before : httpServer.emit
}

class Endpoint {
  constructor(httpServer) {
    this.httpServer = httpServer
    /** @type {Map<import('./server'), string>} servers and the path each is to be found at */
    this.servers = new Map()
    this._delay = monitorEventLoopDelay({ resolution: RESOLUTION })
    this._own = Object.hasOwn(httpServer, 'emit') ? httpServer.emit : undefined
    this._before = httpServer.emit
    this._emit = this._intercept(httpServer.emit)
    // Ahead of every listener, also of those that answer whatever comes.
    httpServer.emit = this._emit
  }

  add(server) {
    this.servers.set(server, server.options.metricsPath)
    this._delay.enable()
  }

  remove(server) {
    this.servers.delete(server)
    if (this.servers.size === 0) this._delay.disable()
  }

  /** Leaves the http.Server as it was; false if somebody else has changed it since. */
  restore() {
    const { httpServer } = this
    if (httpServer.emit !== this._emit) return false
    if (this._own) httpServer.emit = this._own
    else delete httpServer.emit
    return true
  }

  _intercept(emit) {
    const endpoint = this
    return function (name, request, response) {
      if (name === 'request' && endpoint._answer(request, response)) return true
      return emit.apply(this, arguments)
    }
  }

  /** True if the request was for the figures of a server. */
  _answer({ method, url }, response) {
    if (method !== 'GET' && method !== 'HEAD') return false
    const path = url.split('?', 1)[0]
    const servers = []
    for (const [server, metricsPath] of this.servers) {
      if (metricsPath === path) servers.push(server)
    }
    if (servers.length === 0) return false
    const text = Buffer.from(this._text(servers))
    response.writeHead(200, {
      'Content-Type': CONTENT_TYPE,
      'Content-Length': text.length,
      'Cache-Control': 'no-store',
    })
    response.end(method === 'HEAD' ? undefined : text)
    return true
  }

  _text(servers) {
    const metrics = new Map()
    for (const server of servers) {
      const path = server._webSocket.path ?? '*'
      // Of two servers with one path the first is the one that serves.
      if (!metrics.has(path)) metrics.set(path, collect(server, true))
    }
    return render(metrics, this._takeDelay())
  }

  /** How late the event loop was since this was last asked, in ms. */
  _takeDelay() {
    const delay = this._delay
    if (delay.count === 0) return undefined
    // What is measured is the whole time between two looks.
    const late = (ns) => Math.max(0, ns / NS_PER_MS - RESOLUTION)
    const taken = { mean: late(delay.mean), p99: late(delay.percentile(99)), max: late(delay.max) }
    delay.reset()
    return taken
  }
}

module.exports = { attach, detach, emitOf }
