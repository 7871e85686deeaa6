'use strict'

// What the app asks the core about streams and timers: each a request with a number, answered once.

const { OP } = require('../core/commands')
const { encodeData } = require('../core/encode')
const StreamError = require('../core/stream-error')
const { KeptChannels } = require('./stream-options')

// Longest delay of a Node.js timer.
const FOREVER = 0x7fffffff

/** @typedef {{ resolve(data: any): void, reject(error: Error): void }} Waiting */

class StreamPort {
  /**
   * @param {import('./server')} server
   * @param {any[] | null | undefined} streams the option
   */
  constructor(server, streams) {
    this._server = server
    /** Whether the server has streams and timers at all. */
    this.on = streams != null
    this._kept = new KeptChannels(streams || [])
    /** @type {Map<number, Waiting>} */
    this._waiting = new Map()
    this._next = 1
    this._keepAlive = undefined
  }

  /** Whether the messages of a channel have positions. */
  isKept(channel) {
    return this.on && this._kept.has(channel)
  }

  /** @throws {StreamError} the server has no `streams`, or is closed */
  need() {
    if (!this.on) throw new StreamError('The server has no streams option', 'ERR_NO_STREAMS')
    const { _native: link } = this._server
    if (link && link.stopped) throw new StreamError('The server is closed', 'ERR_CLOSED')
  }

  /**
   * Asks the core. The order of requests is that of the calls, also in relation to publishes.
   * @param {string} event
   * @param {object} fields
   * @param {string} [data] JSON text that becomes the member `data`
   * @returns {Promise<any>} rejects with a StreamError
   */
  async request(event, fields, data) {
    this.need()
    return new Promise((resolve, reject) => this.send(event, fields, data, { resolve, reject }))
  }

  /**
   * The same, with callbacks that are called before any event that follows the answer is handled.
   * @param {string} event
   * @param {object} fields
   * @param {string | undefined} data
   * @param {Waiting} waiting
   */
  send(event, fields, data, waiting) {
    const json = withData(JSON.stringify(fields), data)
    const { _native: link } = this._server
    const number = this._number()
    link.command(OP.STREAM_REQUEST).u32(number).text(event).text(json)
    if (this._waiting.size === 0) this._begin()
    this._waiting.set(number, waiting)
  }

  /** JSON text of a payload, as the app's codec has it. */
  encode(data) {
    const { _codecBridge: bridge } = this._server
    return bridge.active ? bridge.encodeData(data) : encodeData(data)
  }

  /** The payload that an answer's member stands for. */
  decode(value) {
    return value === undefined ? undefined : this._server._decodePayload(value)
  }

  /**
   * @param {number} number of the request; 0 for what went wrong without one
   * @param {string | undefined} error JSON text
   * @param {string | undefined} data JSON text
   */
  answer(number, error, data) {
    if (number === 0) {
      this._server.emitError(StreamError.parse(error))
      return
    }
    const waiting = this._waiting.get(number)
    if (!waiting) return
    this._waiting.delete(number)
    if (error !== undefined) waiting.reject(StreamError.parse(error))
    else waiting.resolve(data === undefined ? undefined : JSON.parse(data))
    if (this._waiting.size === 0) this._end()
  }

  /** Keeps the core's threads after the server's end, until `release`. */
  hold() {
    this._server._native.hold()
  }

  release() {
    this._server._native.release()
  }

  // A request that waits for its answer keeps the process alive, and the core's threads.
  _begin() {
    this._keepAlive = setInterval(() => this, FOREVER)
    this.hold()
  }

  _end() {
    clearInterval(this._keepAlive)
    this.release()
  }

  _number() {
    do {
      this._next = (this._next % 0xffffffff) + 1
    } while (this._waiting.has(this._next))
    return this._next
  }
}

function withData(json, data) {
  if (data === undefined) return json
  return `${json.slice(0, -1)}${json === '{}' ? '' : ','}"data":${data}}`
}

module.exports = StreamPort
