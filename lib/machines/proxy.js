'use strict'

// The machine that passes connections on to others. It looks at the first line of a request and at
// nothing after it: who connects talks to the machine behind as if it were there.

const http = require('node:http')
const net = require('node:net')
const { NetworkClusterError } = require('../core/network-cluster-error')
const { PATH } = require('../link/kinds')
const { parse } = require('../link/url')
const Machine = require('./machine')
const { callback, check, integer, invalid, listOf, needs, oneOf, url } = require('./options')
const Upstreams = require('./upstreams')

/** @typedef {import('../../types/machines').ProxyOptions} ProxyOptions */
/** @typedef {import('./upstreams').Upstream} Upstream */
/** @typedef {{ kind: string, name: string }} Target what a request asks for */

const RULES = {
  listen: url,
  managers: listOf(url, []),
  data: listOf(url, []),
  route: callback,
  strategy: oneOf(['round-robin', 'least-pending', 'rendezvous'], 'round-robin'),
  maxConnections: integer(1, 1_000_000, 10_000),
}

/** What `route` is told of the kinds of connections. */
const KINDS = new Map([
  ['data', 'crud'],
  ['events', 'event'],
  ['worker', 'process'],
  ['control', 'process'],
])

/** How long a machine may take to accept a connection, in ms. */
const CONNECT_TIMEOUT = 2000

const STATUS = { 404: 'Not Found', 502: 'Bad Gateway', 503: 'Service Unavailable' }

class Proxy extends Machine {
  #options
  #address
  #managers
  #data
  /** @type {http.Server | undefined} */
  #server
  /** @type {Set<net.Socket>} of those that connect */
  #sockets = new Set()
  /** @type {Set<() => void>} */
  #idle = new Set()
  #completed = 0
  #failed = 0
  #mostOpen = 0

  /** @param {ProxyOptions} options see docs/api/Proxy.md */
  constructor(options) {
    super('proxy', { keepsAlive: true })
    this.#options = check('Proxy', options, RULES)
    needs('Proxy', this.#options, ['listen'])
    const { listen, managers, data, strategy } = this.#options
    this.#address = parse(listen, { anyPort: true })
    this.#managers = new Upstreams(managers.map(parseOne), strategy)
    this.#data = new Upstreams(data.map(parseOne), strategy)
    if (managers.length + data.length === 0) {
      throw invalid('Proxy: at least one address of managers or data is needed')
    }
  }

  /** Where to connect, once started; the port is the real one. */
  get url() {
    const address = this.#server?.address()
    if (typeof address !== 'object' || address === null) return undefined
    const { host } = this.#address
    return `http://${host.includes(':') ? `[${host}]` : host}:${address.port}/`
  }

  stats() {
    return {
      ...super.stats(),
      active: this.#sockets.size,
      completed: this.#completed,
      failed: this.#failed,
      queueHighWater: this.#mostOpen,
    }
  }

  /** @protected */
  async _start() {
    const server = http.createServer((_request, response) => {
      response.writeHead(426, { Connection: 'close' })
      response.end('Upgrade Required')
    })
    server.headersTimeout = 5000
    server.requestTimeout = 5000
    server.on('upgrade', (request, socket, head) => {
      this.#upgrade(request, /** @type {net.Socket} */ (socket), head)
    })
    this.#server = server
    await new Promise((resolve, reject) => {
      server.once('error', (cause) => {
        const message = `cannot listen on ${this.#address.key}: ${cause.message}`
        reject(new NetworkClusterError('ERR_NC_CONNECT', message, { cause }))
      })
      server.listen(this.#address.port, this.#address.host, () => resolve(undefined))
    })
    server.on('error', (error) => this._report(error))
  }

  /**
   * @param {http.IncomingMessage} request
   * @param {net.Socket} socket
   * @param {Buffer} head
   */
  #upgrade(request, socket, head) {
    socket.on('error', () => socket.destroy())
    const target = targetOf(request.url ?? '')
    const upstreams = target && this.#upstreamsOf(target)
    if (!target || !upstreams || upstreams.size === 0) return this.#refuse(socket, 404)
    if (this._refusal || this.#sockets.size >= this.#options.maxConnections) {
      return this.#refuse(socket, 503)
    }
    this.#sockets.add(socket)
    this.#mostOpen = Math.max(this.#mostOpen, this.#sockets.size)
    socket.once('close', () => this.#left(socket))
    return void this.#pass(request, socket, head, target, upstreams)
  }

  /** @param {Target} target */
  #upstreamsOf({ kind }) {
    return KINDS.get(kind) === 'process' ? this.#managers : this.#data
  }

  /** @param {net.Socket} socket */
  #left(socket) {
    this.#sockets.delete(socket)
    if (this.#sockets.size > 0) return
    const waiting = [...this.#idle]
    this.#idle.clear()
    for (const resolve of waiting) resolve()
  }

  /**
   * @param {net.Socket} socket
   * @param {keyof typeof STATUS} status
   */
  #refuse(socket, status) {
    this.#failed += 1
    socket.end(
      `HTTP/1.1 ${status} ${STATUS[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
    )
  }

  /**
   * Tries one machine after the other until one accepts.
   *
   * @param {http.IncomingMessage} request
   * @param {net.Socket} socket
   * @param {Buffer} head
   * @param {Target} target
   * @param {Upstreams} upstreams
   */
  async #pass(request, socket, head, target, upstreams) {
    for (const upstream of upstreams.order(target.name, this.#chosen(target, upstreams))) {
      const other = await reach(upstream)
      if (socket.destroyed) return void other?.destroy()
      if (other) {
        upstreams.reached(upstream)
        this.#completed += 1
        return pipe(request, socket, head, other, upstream)
      }
      upstreams.missed(upstream)
    }
    return this.#refuse(socket, 502)
  }

  /**
   * What the app's route says, if that is one of the machines.
   *
   * @param {Target} target
   * @param {Upstreams} upstreams
   * @returns {string | undefined}
   */
  #chosen({ kind, name }, upstreams) {
    const { route } = this.#options
    if (!route) return undefined
    try {
      const answer = route({ kind: KINDS.get(kind), key: name })
      if (answer === undefined) return undefined
      const { key } = parse(answer)
      if (upstreams.has(key)) return key
      throw invalid(`Proxy: route gave ${key}, which is none of its addresses`)
    } catch (error) {
      this._report(error instanceof Error ? error : new Error(String(error)))
      return undefined
    }
  }

  /** New connections are refused; resolves when the last one ends. @protected */
  async _drain() {
    if (this.#sockets.size > 0)
      await new Promise((resolve) => this.#idle.add(() => resolve(undefined)))
  }

  /** @protected */
  async _close() {
    const server = this.#server
    for (const socket of this.#sockets) socket.destroy()
    if (!server?.listening) return
    await new Promise((resolve) => {
      server.close(resolve)
      server.closeAllConnections()
    })
  }
}

/** @param {string | URL} address */
const parseOne = (address) => parse(address)

/**
 * @param {string} path of a request
 * @returns {Target | undefined}
 */
function targetOf(path) {
  if (!path.startsWith(PATH)) return undefined
  const [kind, ...rest] = path.slice(PATH.length).split('/')
  // The name as it is: it only has to be the same for the same name.
  return KINDS.has(kind) ? { kind, name: rest.join('/') } : undefined
}

/**
 * A connection to a machine, or nothing.
 *
 * @param {Upstream} upstream
 * @returns {Promise<net.Socket | undefined>}
 */
function reach({ host, port }) {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port, noDelay: true })
    const fail = () => {
      socket.destroy()
      resolve(undefined)
    }
    socket.setTimeout(CONNECT_TIMEOUT, fail)
    socket.once('error', fail)
    socket.once('connect', () => {
      socket.setTimeout(0)
      socket.removeListener('error', fail)
      resolve(socket)
    })
  })
}

/**
 * @param {http.IncomingMessage} request
 * @param {net.Socket} socket
 * @param {Buffer} head what came behind the request
 * @param {net.Socket} other
 * @param {Upstream} upstream
 */
function pipe(request, socket, head, other, upstream) {
  upstream.pending += 1
  other.once('close', () => {
    upstream.pending -= 1
    socket.destroy()
  })
  other.on('error', () => other.destroy())
  socket.once('close', () => other.destroy())
  socket.setNoDelay(true)
  other.write(requestText(request))
  if (head.length > 0) other.write(head)
  socket.pipe(other)
  other.pipe(socket)
}

/** @param {http.IncomingMessage} request as it came */
function requestText({ method, url, httpVersion, rawHeaders }) {
  let text = `${method} ${url} HTTP/${httpVersion}\r\n`
  for (let at = 0; at < rawHeaders.length; at += 2) {
    text += `${rawHeaders[at]}: ${rawHeaders[at + 1]}\r\n`
  }
  return `${text}\r\n`
}

module.exports = { Proxy }
