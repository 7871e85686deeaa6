'use strict'

const { once } = require('node:events')
const { WebSocketServer } = require('ws')
const { create } = require('../../client')
const { consume, eventually } = require('../support/events')

const HOST = '127.0.0.1'
const AT_ONCE = { initialDelay: 1, randomness: 0, multiplier: 1, maxDelay: 1 }

/** The messages of one kept channel. */
class Kept {
  constructor(epoch) {
    this.epoch = epoch
    this.head = 0
    this.log = []
  }

  append(data) {
    const message = { data, offset: ++this.head, timestamp: 1 }
    this.log.push(message)
    return message
  }

  /** Forgets what is older than the last `count` messages. */
  trim(count) {
    this.log = this.log.slice(this.log.length - count)
  }

  canResume(since) {
    const first = this.log.length > 0 ? this.log[0].offset : this.head + 1
    return since.epoch === this.epoch && since.offset >= first - 1 && since.offset <= this.head
  }

  after(offset) {
    return this.log.filter((message) => message.offset > offset)
  }
}

/**
 * Speaks the wire protocol of streams as specified, except where a test takes over with `intercept`.
 * Channels whose names begin with `plain` are plain, all others keep their messages.
 */
class ScriptedServer {
  static async start() {
    const server = new ScriptedServer()
    await once(server._web, 'listening')
    server.port = server._web.address().port
    return server
  }

  constructor() {
    this.channels = new Map()
    this.connections = new Set()
    /** Every packet of the clients: `{ event, data }`. */
    this.requests = []
    /** `(packet, connection) => true` if the test has dealt with the packet. */
    this.intercept = () => false
    /** `(data, connection) => false` where outbound middleware blocks a message. */
    this.passes = () => true
    this._clients = []
    this._ids = 0
    this._keys = new Map()
    this._web = new WebSocketServer({ host: HOST, port: 0 })
    this._web.on('connection', (ws) => this._accept(ws))
  }

  /** A client that comes back at once. */
  client(options) {
    const client = create({
      hostname: HOST,
      port: this.port,
      authTokenName: `scripted-${this.port}-${this._clients.length}`,
      autoReconnectOptions: { ...AT_ONCE },
      ...options,
    })
    this._clients.push(client)
    return client
  }

  channel(name) {
    if (!this.channels.has(name)) this.channels.set(name, new Kept('first'))
    return this.channels.get(name)
  }

  /** Publishes; with `deliver: false` the message is kept and nobody is told. */
  publish(name, data, { deliver = true } = {}) {
    const kept = this.channel(name)
    const message = kept.append(data)
    if (deliver) this.deliver(name, message)
    return message
  }

  deliver(name, { offset, data, epoch = this.channel(name).epoch }) {
    this.toSubscribers(name, '#publish', { channel: name, data, epoch, offset })
  }

  toSubscribers(name, event, data) {
    for (const connection of this.connections) {
      if (!connection.subscriptions.has(name)) continue
      if (event !== '#publish' || this.passes(data.data, connection)) {
        connection.send({ event, data })
      }
    }
  }

  /** Ends all connections at once, as a cut network does. */
  drop() {
    for (const { ws } of this.connections) ws.terminate()
  }

  sent(event) {
    return this.requests.filter((packet) => packet.event === event).map(({ data }) => data)
  }

  stop() {
    for (const client of this._clients) client.disconnect()
    this.drop()
    return new Promise((resolve) => this._web.close(resolve))
  }

  _accept(ws) {
    const connection = {
      ws,
      id: `socket-${++this._ids}`,
      subscriptions: new Set(),
      send: (packet) => ws.send(JSON.stringify(packet)),
    }
    connection.answer = ({ cid }, data) => connection.send({ rid: cid, data })
    connection.refuse = ({ cid }, code) =>
      connection.send({ rid: cid, error: { name: 'StreamError', message: code, code } })
    this.connections.add(connection)
    ws.on('close', () => this.connections.delete(connection))
    ws.on('message', (text) => this._packet(JSON.parse(text), connection))
  }

  _packet(packet, connection) {
    const { event, data } = packet
    this.requests.push({ event, data })
    if (this.intercept(packet, connection)) return
    const { id } = connection
    if (event === '#handshake') {
      connection.answer(packet, { id, pingTimeout: 20000, isAuthenticated: false })
    } else if (event === '#subscribe') this._subscribe(packet, connection)
    else if (event === '#unsubscribe') connection.subscriptions.delete(data)
    else if (event === '#history') this._history(packet, connection)
    else if (event === '#publish') this._publish(packet, connection)
    else if (event === '#presence') {
      connection.answer(packet, { members: [{ id, info: { name: 'ann' } }], count: 1 })
    }
  }

  _subscribe(packet, connection) {
    const { channel, since } = packet.data
    connection.subscriptions.add(channel)
    if (channel.startsWith('plain')) {
      return connection.answer(packet, since === undefined ? undefined : { recovered: false })
    }
    const kept = this.channel(channel)
    const head = { epoch: kept.epoch, offset: kept.head }
    if (since === undefined) return connection.answer(packet, head)
    if (typeof since.epoch !== 'string' || !Number.isInteger(since.offset)) {
      connection.subscriptions.delete(channel)
      return connection.refuse(packet, 'ERR_BAD_POSITION')
    }
    const recovered = kept.canResume(since)
    connection.answer(packet, { ...head, recovered })
    if (!recovered) return
    const replayed = kept.after(since.offset).filter(({ data }) => this.passes(data, connection))
    for (const message of replayed) {
      connection.send({ event: '#publish', data: { channel, epoch: kept.epoch, ...message } })
    }
  }

  _history(packet, connection) {
    const { channel, since, limit = 100 } = packet.data
    const kept = this.channel(channel)
    if (since && !kept.canResume(since)) return connection.refuse(packet, 'ERR_POSITION_LOST')
    const rest = kept.after(since ? since.offset : 0)
    const page = rest.slice(0, limit)
    const until = page.at(-1)?.offset
    const messages = page.filter(({ data }) => this.passes(data, connection))
    const { epoch, head: offset } = kept
    connection.answer(packet, { epoch, offset, messages, more: page.length < rest.length, until })
  }

  _publish(packet, connection) {
    const { channel, data, key, delay, at } = packet.data
    if (delay !== undefined || at !== undefined) {
      return connection.answer(packet, { id: 'timer-1', due: at ?? 1000 + delay })
    }
    if (channel.startsWith('plain')) {
      this.toSubscribers(channel, '#publish', { channel, data })
      return connection.answer(packet)
    }
    const seen = key !== undefined && this._keys.get(key)
    if (seen) return connection.answer(packet, { ...seen, duplicate: true })
    const { offset } = this.publish(channel, data)
    const position = { epoch: this.channel(channel).epoch, offset }
    if (key !== undefined) this._keys.set(key, position)
    connection.answer(packet, position)
  }
}

/** Records what a channel hands over: `messages` with positions, `data` alone, and `recoveries`. */
function watch(channel) {
  const seen = { messages: [], data: [], recoveries: [] }
  consume(channel, (data) => void seen.data.push(data))
  consume(channel.listener('message'), (message) => void seen.messages.push(message))
  consume(channel.listener('recover'), (recovery) => void seen.recoveries.push(recovery))
  seen.count = (n) => eventually(() => seen.data.length >= n, `${n} messages`)
  seen.recovered = (n = 1) => eventually(() => seen.recoveries.length >= n, `${n} recoveries`)
  return seen
}

module.exports = { ScriptedServer, watch }
