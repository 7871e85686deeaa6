'use strict'

const { EventEmitter } = require('events')
const { OP } = require('../core/commands')
const { closeFrameError } = require('./close-frame')
const { MESSAGE } = require('./interest')

const OPEN = 1
const CLOSING = 2
const CLOSED = 3

/**
 * The WebSocket under a socket, with what apps use of it: `send`, `close`, `terminate`,
 * `readyState`, `bytesReceived`, and the events `message`, `close` and `error`.
 */
class RawSocket extends EventEmitter {
  constructor(socket) {
    super()
    this._socket = socket
    this.upgradeReq = socket.request
    this.on('newListener', (name) => {
      if (name === 'message') socket._interest.set(MESSAGE, true)
    })
  }

  get readyState() {
    if (this._socket._gone) return CLOSED
    return this._socket.state === this._socket.CLOSED ? CLOSING : OPEN
  }

  get bytesReceived() {
    return this._socket._counters()[3]
  }

  /**
   * @param {string | Uint8Array | ArrayBuffer} data
   * @param {{ binary?: boolean } | ((error?: Error) => void)} [options] `binary` forces the kind of frame
   * @param {(error?: Error) => void} [callback]
   */
  send(data, options, callback) {
    if (typeof options === 'function') return this.send(data, {}, options)
    const { readyState } = this
    if (readyState !== OPEN) {
      const error = notOpen(readyState)
      if (callback) process.nextTick(callback, error)
      return undefined
    }
    this._socket._sendFrame(data, options && options.binary)
    if (callback) process.nextTick(callback)
    return undefined
  }

  close(code, reason) {
    const error = closeFrameError(code, reason)
    if (error) throw error
    if (this._socket._gone) return
    const text = reason === undefined ? '' : String(reason)
    this._socket
      ._command(OP.CLOSE_RAW)
      .u32(code === undefined ? 0 : code)
      .text(text)
  }

  terminate() {
    this._socket.terminate()
  }
}

Object.assign(RawSocket.prototype, { CONNECTING: 0, OPEN, CLOSING, CLOSED })

/** The error of the WebSocket engine where a message cannot be sent any more. */
function notOpen(readyState) {
  const name = readyState === CLOSED ? 'CLOSED' : 'CLOSING'
  return new Error(`WebSocket is not open: readyState ${readyState} (${name})`)
}

module.exports = { RawSocket, notOpen }
