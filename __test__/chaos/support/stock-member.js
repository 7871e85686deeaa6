'use strict'

const socketClusterClient = require('socketcluster-client')
const { consume } = require('../../support/events')
const { Journal } = require('./journal')

/** As fast as a test wants it. */
const RECONNECT = { initialDelay: 10, randomness: 40, multiplier: 1, maxDelay: 60 }

/**
 * A client of socketcluster-client, which knows nothing of positions: its user looks at the messages
 * as they come in and subscribes with what they said.
 */
class StockMember {
  constructor(name, port, channels) {
    this.journal = new Journal(name)
    this.channels = channels
    /** By call. @type {Map<number, { channel: string, since: any }>} */
    this._asked = new Map()
    this._current = new Set()
    this.socket = socketClusterClient.create({
      hostname: '127.0.0.1',
      port,
      autoReconnectOptions: RECONNECT,
      ackTimeout: 5000,
      authTokenName: `chaos-${name}`,
    })
    consume(this.socket.listener('connect'), () => this._subscribe())
    consume(this.socket.listener('close'), () => this._current.clear())
    consume(this.socket.listener('message'), ({ message }) => this._message(message))
  }

  /** Whether all its subscriptions have been answered on this connection. */
  get current() {
    return this._current.size === this.channels.length
  }

  publish(channel, data, key) {
    return this.socket.invoke('#publish', { channel, data, key })
  }

  close() {
    this.socket.disconnect()
  }

  _subscribe() {
    this._current.clear()
    this._asked.clear()
    for (const channel of this.channels) {
      const since = this.journal.since(channel)
      const request = { channel, since }
      const { transport } = this.socket
      const call = transport.invokeRaw('#subscribe', request, { noTimeout: true }, () => {})
      this._asked.set(call, request)
    }
  }

  _message(text) {
    if (text === '') return
    const message = JSON.parse(text)
    for (const packet of Array.isArray(message) ? message : [message]) this._packet(packet)
  }

  _packet({ event, rid, data, error }) {
    if (event === '#publish' && data.epoch) this.journal.message(data.channel, data)
    const asked = this._asked.get(rid)
    if (!asked) return
    this._asked.delete(rid)
    if (error) return this.journal.refused(asked.channel, error)
    this.journal.subscribed(asked.channel, asked.since, data)
    this._current.add(asked.channel)
  }
}

module.exports = { StockMember, RECONNECT }
