'use strict'

const crypto = require('node:crypto')
const net = require('node:net')
const tls = require('node:tls')
const { Inflater } = require('./inflater')
const { OPCODE, closeBody, decodeFrame, encodeFrame } = require('./frames')

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const ACCEPT = crypto
  .createHash('sha1')
  .update(KEY + GUID)
  .digest('base64')

/**
 * A WebSocket client which keeps no rules: it can send any bytes, and it keeps all that it got.
 *
 * `frames` holds every frame, `texts` the text messages without pings, `packets` those parsed,
 * `closed` the code and reason of the server's close frame, `ended` whether TCP has ended.
 */
class RawClient {
  constructor(options) {
    const defaults = { host: '127.0.0.1', path: '/socketcluster/', headers: {}, method: 'GET' }
    Object.assign(this, { ...defaults, secure: false, answerPings: true, echoClose: true }, options)
    this.frames = []
    this.texts = []
    this.packets = []
    this.binaries = []
    this.pongs = []
    this.pings = 0
    this.closed = null
    this.ended = false
    this.status = 0
    this.head = ''
    this.body = ''
    this._bytes = Buffer.alloc(0)
    this._parts = null
    this._waiting = []
    this._cid = 1
  }

  /** Opens TCP (or TLS) only. */
  connectTcp() {
    return new Promise((resolve) => {
      const { port, host } = this
      const done = () => resolve(this)
      this.socket = this.secure
        ? tls.connect({ port, host, rejectUnauthorized: false }, done)
        : net.connect({ port, host }, done)
      this.socket.setNoDelay(true)
      this.socket.on('error', (error) => (this.error = error))
      this.socket.on('data', (bytes) => this._read(bytes))
      this.socket.on('close', () => {
        this.ended = true
        this._wake()
        done()
      })
    })
  }

  /** Opens the connection and asks for the upgrade; resolves with any HTTP status. */
  async open() {
    await this.connectTcp()
    this.write(this.upgradeRequest())
    await this.until(() => this.status || this.ended, 'HTTP response')
    return this
  }

  upgradeRequest() {
    const headers = {
      Host: `${this.host}:${this.port}`,
      Upgrade: 'websocket',
      Connection: 'Upgrade',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': KEY,
      ...this.headers,
    }
    const lines = Object.entries(headers)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => `${name}: ${value}\r\n`)
    return `${this.method} ${this.path} HTTP/1.1\r\n${lines.join('')}\r\n`
  }

  header(name) {
    const line = new RegExp(`^${name}: *(.*)$`, 'im').exec(this.head)
    return line ? line[1].trim() : undefined
  }

  /** The #handshake of the protocol; resolves with the data of the response. */
  async handshake(data = {}) {
    const answer = await this.invoke('#handshake', data)
    this.id = answer.data && answer.data.id
    return answer
  }

  write(bytes) {
    return this.socket.destroyed ? false : this.socket.write(bytes)
  }

  frame(opcode, payload, options) {
    return this.write(encodeFrame(opcode, payload, options))
  }

  /** Sends a string as it is, anything else as JSON. */
  send(message) {
    return this.frame(OPCODE.TEXT, typeof message === 'string' ? message : JSON.stringify(message))
  }

  sendBinary(bytes) {
    return this.frame(OPCODE.BINARY, bytes)
  }

  sendClose(code, reason) {
    return this.frame(OPCODE.CLOSE, code === undefined ? '' : closeBody(code, reason))
  }

  transmit(event, data) {
    this.send({ event, data })
  }

  /** Sends a request and resolves with the whole response packet. */
  async invoke(event, data, timeout) {
    const cid = this._cid++
    this.send({ event, data, cid })
    return this.response(cid, timeout)
  }

  /** The first response packet with this rid. */
  async response(rid, timeout) {
    const find = () => this.allPackets().find((packet) => packet && packet.rid === rid)
    await this.until(() => find() || this.gone(), `response ${rid}`, timeout)
    const found = find()
    if (!found) throw new Error(`The connection closed before response ${rid} came`)
    return found
  }

  subscribe(channel) {
    return this.invoke('#subscribe', { channel })
  }

  publish(channel, data) {
    return this.invoke('#publish', { channel, data })
  }

  /** Every packet, those of batches one by one. */
  allPackets() {
    return this.packets.flatMap((packet) => packet)
  }

  events(name) {
    return this.allPackets().filter((packet) => packet && packet.event === name)
  }

  /** The data of the publications of one channel, in the order of arrival. */
  published(channel) {
    return this.events('#publish')
      .filter((packet) => packet.data.channel === channel)
      .map((packet) => packet.data.data)
  }

  gone() {
    return this.ended || this.closed !== null
  }

  /** Resolves as soon as `accept()` is truthy; rejects with `what` after the timeout. */
  until(accept, what = 'expected state of the raw client', timeout = 5000) {
    return new Promise((resolve, reject) => {
      const check = () => {
        const result = accept(this)
        if (!result) return false
        clearTimeout(timer)
        resolve(result)
        return true
      }
      const timer = setTimeout(() => {
        this._waiting = this._waiting.filter((other) => other !== check)
        const last = this.texts.slice(-3).join(' ').slice(0, 300)
        reject(new Error(`No ${what} within ${timeout} ms; last text: ${last || '(none)'}`))
      }, timeout)
      if (!check()) this._waiting.push(check)
    })
  }

  /** Waits for the end of TCP and gives back the close frame, or null when there was none. */
  async untilEnded(timeout) {
    await this.until(() => this.ended, 'end of the connection', timeout)
    return this.closed
  }

  untilClosed(timeout) {
    return this.until(() => this.closed || this.ended, 'close frame', timeout).then(
      () => this.closed,
    )
  }

  pause() {
    this.socket.pause()
  }

  resume() {
    this.socket.resume()
  }

  /** Ends TCP at once, without a close frame. */
  destroy() {
    if (this.socket) this.socket.destroy()
  }

  _wake() {
    this._waiting = this._waiting.filter((check) => !check())
  }

  _read(bytes) {
    this._bytes = this._bytes.length ? Buffer.concat([this._bytes, bytes]) : bytes
    if (!this.status) this._readHead()
    if (this.status === 101) this._readFrames()
    else if (this.status) this.body += this._take(this._bytes.length).toString()
    this._wake()
  }

  _readHead() {
    const end = this._bytes.indexOf('\r\n\r\n')
    if (end < 0) return
    this.head = this._take(end + 4).toString('latin1')
    this.status = Number(this.head.split(' ')[1])
    this.accepted = this.header('sec-websocket-accept') === ACCEPT
    const extension = this.header('sec-websocket-extensions')
    if (!extension) return
    this._inflater = new Inflater(!extension.includes('server_no_context_takeover'))
    this._inflated = Promise.resolve()
  }

  _readFrames() {
    for (;;) {
      const frame = decodeFrame(this._bytes)
      if (!frame) return
      this._take(frame.size)
      this._frame(frame)
    }
  }

  _frame(frame) {
    const { opcode, payload } = frame
    this.frames.push(frame)
    if (opcode === OPCODE.CLOSE) {
      const code = payload.length >= 2 ? payload.readUInt16BE(0) : null
      this.closed = { code, reason: payload.subarray(2).toString() }
      if (this.echoClose) this.frame(OPCODE.CLOSE, payload.subarray(0, 2))
    } else if (opcode === OPCODE.PING) this.frame(OPCODE.PONG, payload)
    else if (opcode === OPCODE.PONG) this.pongs.push(payload.toString())
    else this._dataFrame(frame)
  }

  _dataFrame({ opcode, payload, fin, rsv1 }) {
    if (opcode === OPCODE.CONTINUATION) this._parts.list.push(payload)
    else this._parts = { opcode, rsv1, list: [payload] }
    if (!fin) return
    const whole = Buffer.concat(this._parts.list)
    const kind = this._parts
    this._parts = null
    if (this._inflater) this._inflateInOrder(kind, whole)
    else this._message(kind, whole)
  }

  _inflateInOrder(kind, whole) {
    this._inflated = this._inflated.then(async () => {
      this._message(kind, kind.rsv1 ? await this._inflater.inflate(whole) : whole)
      this._wake()
    })
  }

  _message(kind, whole) {
    if (kind.opcode === OPCODE.BINARY) this.binaries.push(whole)
    else this._text(whole.toString())
  }

  _text(text) {
    if (text === '' || text === '#1') {
      this.pings++
      if (this.answerPings) this.send(text === '' ? '' : '#2')
      return
    }
    this.texts.push(text)
    try {
      this.packets.push(JSON.parse(text))
    } catch {
      this.packets.push(undefined)
    }
  }

  _take(count) {
    const taken = this._bytes.subarray(0, count)
    this._bytes = this._bytes.subarray(count)
    return taken
  }
}

module.exports = { OPCODE, RawClient, encodeFrame }
