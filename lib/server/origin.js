'use strict'

// Whether an upgrade request is let in: handshake middleware first, then the origin.

const WritableConsumableStream = require('writable-consumable-stream')
const { ServerProtocolError } = require('sc-errors')
const AGAction = require('./action')

/**
 * @this {import('./server')}
 * @param {{ origin?: string, secure: boolean, req: import('http').IncomingMessage }} info
 * @param {(verified: boolean, status?: number, message?: string) => void} callback
 */
async function verifyHandshake(info, callback) {
  const { req } = info
  const origin = typeof info.origin !== 'string' || info.origin === 'null' ? '*' : info.origin
  const ok = this._allowAllOrigins || isAllowed(this.origins, origin)

  const stream = new WritableConsumableStream()
  stream.type = this.MIDDLEWARE_HANDSHAKE
  req[this.SYMBOL_MIDDLEWARE_HANDSHAKE_STREAM] = stream
  const middleware = this._middleware.get(this.MIDDLEWARE_HANDSHAKE)
  if (middleware) middleware(stream)

  const action = new AGAction()
  action.request = req
  action.type = AGAction.HANDSHAKE_WS
  try {
    await this._processMiddlewareAction(stream, action)
  } catch (error) {
    stream.close()
    callback(false, 401, typeof error === 'string' ? error : error.message)
    return
  }
  if (ok) {
    callback(true)
    return
  }
  const error = new ServerProtocolError(
    `Failed to authorize socket handshake - Invalid origin: ${origin}`,
  )
  this.emitWarning(error)
  stream.close()
  callback(false, 403, error.message)
}

/**
 * Whether the origin of a request lets it in, whatever else is wrong with it.
 * @param {import('./server')} server
 * @param {import('http').IncomingMessage} request
 */
function admits(server, request) {
  if (server._allowAllOrigins) return true
  const { 'sec-websocket-version': version, origin } = request.headers
  // Other versions have another header for it.
  return version === '13' && typeof origin === 'string' && isAllowed(server.origins, origin)
}

function isAllowed(origins, origin) {
  let url
  try {
    url = new URL(origin)
  } catch {
    return false
  }
  // IPv6 addresses stand without brackets in `origins`.
  const hostname = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const port = url.port || (url.protocol === 'https:' ? 443 : 80)
  return [`${hostname}:${port}`, `${hostname}:*`, `*:${port}`].some((it) => origins.includes(it))
}

module.exports = { admits, verifyHandshake }
