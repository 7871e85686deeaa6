'use strict'

const net = require('node:net')
const { encodeFrame, OPCODE } = require('../../support/frames')

const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='

/** A client of the protocol that costs little and keeps nothing: thousands fit into a process. */
class LightClient {
  /**
   * @param {number} port
   * @param {(packet: any) => void} [onPacket] gets events and answers in the order they came in
   */
  constructor(port, onPacket = () => {}) {
    this.port = port
    this.onPacket = onPacket
    this._rest = null
    this._calls = new Map()
    this._cid = 1
    this.closed = false
  }

  /** Resolves after the handshake. */
  async connect() {
    await new Promise((resolve, reject) => {
      this.socket = net.connect(this.port, '127.0.0.1')
      this.socket.setNoDelay(true)
      this.socket.on('error', () => {})
      this.ended = new Promise((end) => this.socket.on('close', () => end(this._close(reject))))
      this._upgraded = resolve
      this.socket.on('data', (bytes) => this._read(bytes))
      this.socket.write(
        `GET /socketcluster/ HTTP/1.1\r\nHost: 127.0.0.1:${this.port}\r\nUpgrade: websocket\r\n` +
          `Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\n\r\n`,
      )
    })
    await this.call('#handshake', { authToken: null })
    return this
  }

  /** Resolves with the data of the answer; rejects with its error. */
  call(event, data) {
    const cid = this._cid++
    return new Promise((resolve, reject) => {
      if (this.closed) return reject(new Error('the connection has ended'))
      this._calls.set(cid, { resolve, reject })
      this.send({ event, data, cid })
    })
  }

  send(packet) {
    this.socket.write(encodeFrame(OPCODE.TEXT, JSON.stringify(packet)))
  }

  /** Ends TCP at once. */
  destroy() {
    this.socket?.destroy()
  }

  _close(reject) {
    this.closed = true
    const error = new Error('the connection has ended')
    reject(error)
    for (const call of this._calls.values()) call.reject(error)
    this._calls.clear()
  }

  _read(bytes) {
    const all = this._rest ? Buffer.concat([this._rest, bytes]) : bytes
    let at = this._upgraded ? this._readHead(all) : 0
    while (!this._upgraded && all.length - at >= 2) {
      const [start, length] = extent(all, at)
      if (start + length > all.length) break
      this._frame(all[at] & 15, all.subarray(start, start + length))
      at = start + length
    }
    this._rest = at < all.length ? all.subarray(at) : null
  }

  _readHead(all) {
    const end = all.indexOf('\r\n\r\n')
    if (end < 0) return 0
    if (!all.subarray(0, 12).equals(Buffer.from('HTTP/1.1 101'))) this.socket.destroy()
    const upgraded = this._upgraded
    this._upgraded = null
    upgraded()
    return end + 4
  }

  _frame(opcode, payload) {
    if (opcode === OPCODE.PING) return this.socket.write(encodeFrame(OPCODE.PONG, payload))
    if (opcode === OPCODE.CLOSE) return this.socket.destroy()
    if (payload.length === 0) return this.socket.write(encodeFrame(OPCODE.TEXT, ''))
    const message = JSON.parse(payload.toString())
    for (const packet of Array.isArray(message) ? message : [message]) this._packet(packet)
  }

  _packet(packet) {
    this.onPacket(packet)
    const call = this._calls.get(packet.rid)
    if (!call) return
    this._calls.delete(packet.rid)
    if (packet.error) call.reject(Object.assign(new Error(packet.error.message), packet.error))
    else call.resolve(packet.data)
  }
}

/** Where the payload of the frame at `at` begins, and its length; beyond the end if not known yet. */
function extent(bytes, at) {
  const length = bytes[at + 1] & 127
  if (length < 126) return [at + 2, length]
  if (length === 126) {
    return bytes.length < at + 4 ? [Infinity, 0] : [at + 4, bytes.readUInt16BE(at + 2)]
  }
  if (bytes.length < at + 10) return [Infinity, 0]
  return [at + 10, Number(bytes.readBigUInt64BE(at + 2))]
}

module.exports = { LightClient }
