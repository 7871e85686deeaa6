'use strict'

const { once } = require('node:events')
const net = require('node:net')
const { OPCODE, header, readHeader, textFrame } = require('./frames')

/** Of a message that nobody reads as a whole, so many bytes tell what it is. */
const GLANCE = 64

const REQUEST = [
  'GET /socketcluster/ HTTP/1.1',
  'Host: 127.0.0.1',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
].join('\r\n')

const HANDSHAKE = '{"event":"#handshake","data":{},"cid":1}'

/**
 * A client on a plain socket, which keeps counts of what it gets instead of the messages: an
 * attacker must not be busier than the server.
 */
class Client {
  constructor(port) {
    this.port = port
    this.upgraded = false
    this.greeted = false
    this.answers = 0
    this.errors = 0
    this.deliveries = 0
    this.closed = null
    this.ended = false
    /** Called with the beginning of each answer to a call. */
    this.onAnswer = null
    /** Called with each publication. */
    this.onDelivery = null
    this._rest = Buffer.alloc(0)
    this._skip = 0
    this._waiting = []
  }

  async connect() {
    this.socket = net.connect(this.port, '127.0.0.1')
    this.socket.setNoDelay(true)
    this.socket.on('error', () => {})
    this.socket.on('data', (bytes) => this._take(bytes))
    this.socket.on('close', () => {
      this.ended = true
      this._wake()
    })
    await this.until(() => this.ended || !this.socket.connecting, 'connect')
    return this
  }

  /** Asks for the upgrade; more headers may be given. */
  async upgrade(headers = '') {
    this.socket.write(`${REQUEST}\r\n${headers}\r\n`)
    await this.until(() => this.upgraded || this.ended)
    return this
  }

  async handshake() {
    this.send(HANDSHAKE)
    await this.until((it) => it.answers === 1)
    this.answers = 0
    this.greeted = true
    return this
  }

  send(text) {
    return this.write(textFrame(text))
  }

  /** A frame of any size; its payload is not copied. */
  frame(opcode, payload, options) {
    this.write(header(opcode, payload.length, options))
    return this.write(payload)
  }

  write(bytes) {
    return !this.socket.destroyed && this.socket.write(bytes)
  }

  /** Writes pieces as fast as they are taken; stops when the connection has ended. */
  async writeAll(pieces) {
    for (const piece of pieces) {
      if (this.gone()) return
      if (!this.write(piece)) await this.drained()
    }
  }

  async drained() {
    if (this.gone()) return
    const socket = this.socket
    const ended = new AbortController()
    const over = { signal: ended.signal }
    await Promise.race([once(socket, 'drain', over), once(socket, 'close', over)]).catch(() => {})
    ended.abort()
  }

  /** Whether the server has closed it. */
  gone() {
    return this.ended || this.closed !== null
  }

  /** Resolves when `accept` is true or the connection is gone. */
  until(accept) {
    return new Promise((resolve) => {
      const check = () => {
        if (!accept(this) && !this.gone()) return false
        resolve(this)
        return true
      }
      if (check()) return
      if (this.socket.connecting) this.socket.once('connect', () => this._wake())
      this._waiting.push(check)
    })
  }

  destroy() {
    this.socket.destroy()
  }

  _wake() {
    if (this._waiting.length > 0) this._waiting = this._waiting.filter((check) => !check())
  }

  _take(bytes) {
    if (!this.upgraded) {
      bytes = this._readHead(bytes)
      if (!bytes) return
    }
    const skipped = Math.min(this._skip, bytes.length)
    this._skip -= skipped
    bytes = bytes.subarray(skipped)
    if (bytes.length > 0) {
      this._readFrames(this._rest.length > 0 ? Buffer.concat([this._rest, bytes]) : bytes)
    }
    this._wake()
  }

  _readHead(bytes) {
    this._rest = Buffer.concat([this._rest, bytes])
    const end = this._rest.indexOf('\r\n\r\n')
    if (end < 0) return null
    const rest = this._rest.subarray(end + 4)
    this.upgraded = this._rest.toString('latin1', 9, 12) === '101'
    this._rest = Buffer.alloc(0)
    if (!this.upgraded) this.destroy()
    return rest
  }

  _readFrames(bytes) {
    let at = 0
    for (;;) {
      const frame = readHeader(bytes, at)
      if (!frame || bytes.length < Math.min(frame.end, frame.start + GLANCE)) break
      this._frame(frame.opcode, bytes, frame.start, Math.min(frame.end, frame.start + GLANCE))
      at = frame.end
      if (at >= bytes.length) break
    }
    this._skip = Math.max(0, at - bytes.length)
    this._rest = at < bytes.length ? bytes.subarray(at) : Buffer.alloc(0)
  }

  _frame(opcode, bytes, start, end) {
    if (opcode === OPCODE.CLOSE) {
      this.closed = end - start >= 2 ? bytes.readUInt16BE(start) : 1005
      return
    }
    if (opcode !== OPCODE.TEXT) return
    if (start === end) {
      // The protocol's ping. Before the handshake a pong would be too early.
      if (this.greeted) this.send('')
    } else if (bytes[start + 2] === 0x72) {
      this._answer(bytes.latin1Slice(start, end))
    } else if (bytes.latin1Slice(start, Math.min(end, start + 19)) === '{"event":"#publish"') {
      this.deliveries++
      if (this.onDelivery) this.onDelivery()
    }
  }

  _answer(text) {
    this.answers++
    if (text.includes('"error":{')) this.errors++
    if (this.onAnswer) this.onAnswer(text)
  }
}

/** A client after its handshake. */
async function open(port, headers) {
  const client = await new Client(port).connect()
  await client.upgrade(headers)
  return client.handshake()
}

module.exports = { Client, open }
