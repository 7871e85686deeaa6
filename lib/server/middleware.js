'use strict'

// The four middleware lines of a server.

const {
  InvalidActionError,
  InvalidArgumentsError,
  SilentMiddlewareBlockedError,
} = require('sc-errors')

const TYPES = {
  MIDDLEWARE_HANDSHAKE: 'handshake',
  MIDDLEWARE_INBOUND_RAW: 'inboundRaw',
  MIDDLEWARE_INBOUND: 'inbound',
  MIDDLEWARE_OUTBOUND: 'outbound',
}
const ALL_TYPES = Object.values(TYPES)

/** Lines of which every socket has a stream of its own. */
const SOCKET_TYPES = ['inboundRaw', 'inbound', 'outbound']

const methods = {
  /**
   * @param {string} type one of the MIDDLEWARE_* constants; one function each
   * @param {(stream: AsyncIterable<any>) => any} middleware
   */
  setMiddleware(type, middleware) {
    if (!ALL_TYPES.includes(type)) {
      throw new InvalidArgumentsError(`Middleware ${type} type is not supported`)
    }
    if (this.hasMiddleware(type)) {
      throw new InvalidActionError(`Middleware ${type} type has already been set`)
    }
    if (!middleware) return
    this._middleware.set(type, middleware)
    this._adoptAll()
    this._reconfigure()
  },

  removeMiddleware(type) {
    if (this._middleware.delete(type)) this._reconfigure()
  },

  hasMiddleware(type) {
    return this._middleware.has(type)
  },

  /**
   * Has middleware decide on an action.
   * @returns {Promise<{ data: any, options: any }>} rejects with what the client is to be told
   */
  async _processMiddlewareAction(stream, action, socket) {
    if (!this.hasMiddleware(stream.type)) return { data: action.data, options: null }
    if (socket) socket._startMiddleware(stream.type)
    stream.write(action)
    let result
    try {
      result = await action.promise
    } catch (error) {
      throw reportBlocked(this, stream, action, socket, error)
    }
    const { data, options = null } = result || {}
    return { data: data === undefined ? action.data : data, options }
  },
}

// Emits the error and returns the one for the client.
function reportBlocked(server, stream, action, socket, error) {
  const silent = () =>
    new SilentMiddlewareBlockedError(
      `The ${action.type} AGAction was blocked by ${stream.type} middleware`,
      stream.type,
    )
  const reported = error || silent()
  if (server.middlewareEmitFailures) {
    if (socket) socket.emitError(reported)
    else server.emitWarning(reported)
  }
  return reported.silent ? silent() : reported
}

/** Gives a server class its middleware. */
function install(Server) {
  const handshakeStream = Symbol('handshakeStream')
  for (const target of [Server, Server.prototype]) {
    Object.assign(target, TYPES)
    target.SYMBOL_MIDDLEWARE_HANDSHAKE_STREAM = handshakeStream
  }
  for (const [name, value] of Object.entries(methods)) {
    Object.defineProperty(Server.prototype, name, { value, writable: true, configurable: true })
  }
}

/**
 * What a server class gets.
 * @typedef {typeof TYPES & typeof methods & { SYMBOL_MIDDLEWARE_HANDSHAKE_STREAM: symbol }} Middleware
 */

module.exports = { SOCKET_TYPES, install }
