'use strict'

// The default broker engine: the JavaScript face of the channels which live in the native core.
const formatter = require('sc-formatter')
const { encodeData } = require('../core/encode')
const Emitter = require('../streams/emitter')
const Exchange = require('./exchange')
const { makePatchable } = require('./patchable')
const Waker = require('./waker')

/**
 * What the broker needs from the native core.
 *
 * @typedef {{
 *   subscribe(channel: string): boolean        // make JS a subscriber of the channel; true if it is the channel's first subscriber
 *   unsubscribe(channel: string): boolean      // true if the channel has no subscriber left
 *   publish(channel: string, json: string|undefined, suppressEvent: boolean, data: any): void   // json = the encoded `data`
 *   publishValue(channel: string, data: any, suppressEvent: boolean): void   // the same with a custom codec; throws what the codec throws
 *   subscriptions(): string[]                   // every channel with a subscriber (sockets or JS)
 *   isSubscribed(channel: string): boolean
 *   subscribeSocket(socket: any, channel: string): Promise<void>
 *   unsubscribeSocket(socket: any, channel: string): Promise<void>
 *   setInterest(bit: number, on: boolean): void  // one of Broker.INTEREST_*: whether to call `_onNative` for it
 *   onPatched(name: string): void               // a method of the broker (`exchange.…`: of its exchange) was replaced or restored
 *   streams?: import('../server/stream-port')   // kept channels and timers
 * }} BrokerPort
 */

/**
 * Anything which can subscribe to channels: the exchange, a server socket, or an object of the
 * application.
 *
 * @typedef {{
 *   id: string,
 *   transmit(event: string, packet: any, options?: { stringifiedData?: any }): any,
 * }} BrokerClient
 */

const PATCHABLE_METHODS = [
  'subscribeSocket',
  'unsubscribeSocket',
  'subscribeClient',
  'unsubscribeClient',
  'transmitPublish',
  'invokePublish',
]

/**
 * Emits `ready {}` and `error {error}` itself. `subscribe {channel}`, `unsubscribe {channel}` and
 * `publish {channel, data}` are reported by the core for sockets and for JavaScript alike, through
 * `_onNative`, so that each happens once.
 */
class Broker extends Emitter {
  /** @param {BrokerPort} port */
  constructor(port) {
    super()
    this.isReady = false
    this._port = port
    this._codec = null
    this._streams = port.streams
    /** @type {Map<string, Function>} methods replaced by the application */
    this._patches = new Map()
    /** @type {Map<string, Map<string, BrokerClient>>} the JavaScript subscribers of each channel */
    this._clients = new Map()
    this._exchangeClient = new Exchange(this)
    this._reportOverrides()

    setTimeout(() => {
      this.isReady = true
      this.emit('ready', {})
    }, 0)
  }

  exchange() {
    return this._exchangeClient
  }

  setCodecEngine(codec) {
    this._codec = codec
  }

  subscriptions() {
    return this._port.subscriptions()
  }

  isSubscribed(channelName) {
    return this._port.isSubscribed(String(channelName))
  }

  async subscribeClient(client, channelName) {
    return subscribe(this, client, String(channelName))
  }

  async subscribeSocket(socket, channelName) {
    return subscribe(this, socket, String(channelName))
  }

  async unsubscribeClient(client, channelName) {
    return unsubscribe(this, client, String(channelName))
  }

  async unsubscribeSocket(socket, channelName) {
    return unsubscribe(this, socket, String(channelName))
  }

  // Through the method rather than straight to the port: whoever replaces transmitPublish expects
  // to see every publication.
  async invokePublish(channelName, data, suppressEvent) {
    const direct = this._streams && this._streams.isKept(String(channelName))
    if (direct && !this._isPatched('transmitPublish')) {
      return this._publishKept(String(channelName), data, { suppressEvent: !!suppressEvent })
    }
    return this.transmitPublish(channelName, data, suppressEvent)
  }

  async transmitPublish(channelName, data, suppressEvent) {
    const channel = String(channelName)
    if (this._streams && this._streams.isKept(channel)) {
      this._publishUnanswered(channel, data, { suppressEvent: !!suppressEvent })
      return
    }
    if (!isDefaultCodec(this._codec)) {
      this._emitThrown(() => this._port.publishValue(channel, data, !!suppressEvent))
      return
    }
    const encoded = this._emitThrown(() => ({ json: encodeData(data) }))
    if (encoded) this._port.publish(channel, encoded.json, !!suppressEvent, data)
  }

  /**
   * A publication that the core keeps, or delays.
   * @param {string} channel
   * @param {any} data
   * @param {{ key?: string, delay?: number, at?: number, suppressEvent?: boolean }} options
   * @returns {Promise<any>} where it went, or when it is due; rejects with a StreamError
   */
  async _publishKept(channel, data, { key, delay, at, suppressEvent }) {
    const streams = /** @type {import('../server/stream-port')} */ (this._streams)
    const json = streams.encode(data)
    const event = suppressEvent ? { suppressEvent } : undefined
    return streams.request('#publish', { channel, key, delay, at, ...event }, json)
  }

  /** The same, where nobody waits for the outcome. */
  _publishUnanswered(channel, data, options) {
    this._publishKept(channel, data, options).catch((error) => this.emit('error', { error }))
  }

  /**
   * A publication reached JavaScript: hands it to the subscribers of the channel.
   * @param {string} channel
   * @param {any} data
   * @param {{ epoch: string, offset: number }} [place] on a channel that keeps its messages
   */
  _deliver(channel, data, place) {
    const clients = this._clients.get(channel)
    if (!clients) return
    const packet = place ? { channel, data, ...place } : { channel, data }
    let options
    // A subscriber may leave while another one is served.
    for (const client of [...clients.values()]) {
      if (client === this._exchangeClient || client instanceof Waker) {
        client.transmit('#publish', packet)
        continue
      }
      options = options || this._transmitOptions(packet)
      if (!options) return
      client.transmit('#publish', packet, options)
    }
  }

  /** What the exchange's own subscription has missed. */
  _replay(channel, data, place) {
    const clients = this._clients.get(channel)
    if (clients && clients.has(this._exchangeClient.id)) {
      this._exchangeClient.transmit('#publish', { channel, data, ...place })
    }
  }

  /**
   * The core reports an event somebody listens to.
   * @param {number} kind one of Broker.INTEREST_*
   * @param {string} channel
   * @param {any} [data] of the publication; of an error: the error
   */
  _onNative(kind, channel, data) {
    if (kind === Broker.INTEREST_SUBSCRIBE) this.emit('subscribe', { channel })
    else if (kind === Broker.INTEREST_UNSUBSCRIBE) this.emit('unsubscribe', { channel })
    else if (kind === Broker.INTEREST_PUBLISH) this.emit('publish', { channel, data })
    else if (kind === Broker.INTEREST_ERROR) this.emit('error', { error: data })
  }

  /** Whether a method is the application's; the name as in `port.onPatched`. */
  _isPatched(name) {
    const original = ORIGINALS.get(name)
    const owner = name.startsWith('exchange.') ? this._exchangeClient : this
    return owner[name.slice(name.indexOf('.') + 1)] !== original
  }

  _onListenerInterest(eventName, on) {
    const bit = INTEREST_BITS.get(eventName)
    if (bit !== undefined) this._port.setInterest(bit, on)
  }

  _onExchangePatched(name) {
    this._port.onPatched(`exchange.${name}`)
  }

  // A subclass overrides without assigning.
  _reportOverrides() {
    for (const name of ORIGINALS.keys()) {
      if (this._isPatched(name)) this._port.onPatched(name)
    }
  }

  _transmitOptions(packet) {
    const codec = this._codec || formatter
    return this._emitThrown(() => ({
      stringifiedData: codec.encode({ event: '#publish', data: packet }),
    }))
  }

  _emitThrown(action) {
    try {
      return action()
    } catch (error) {
      this.emit('error', { error })
      return undefined
    }
  }
}

Broker.INTEREST_SUBSCRIBE = 1
Broker.INTEREST_UNSUBSCRIBE = 2
Broker.INTEREST_PUBLISH = 4
Broker.INTEREST_ERROR = 8

const INTEREST_BITS = new Map([
  ['subscribe', Broker.INTEREST_SUBSCRIBE],
  ['unsubscribe', Broker.INTEREST_UNSUBSCRIBE],
  ['publish', Broker.INTEREST_PUBLISH],
  ['error', Broker.INTEREST_ERROR],
])

/** @type {Map<string, Function>} */
const ORIGINALS = new Map()
for (const name of PATCHABLE_METHODS) ORIGINALS.set(name, Broker.prototype[name])
for (const name of Exchange.PATCHABLE_METHODS) {
  ORIGINALS.set(`exchange.${name}`, Exchange.prototype[name])
}

makePatchable(Broker, PATCHABLE_METHODS, (broker, name) => broker._port.onPatched(name))

function subscribe(broker, client, channel) {
  if (isServerSocket(client)) return broker._port.subscribeSocket(client, channel)
  let clients = broker._clients.get(channel)
  if (!clients) {
    clients = new Map()
    broker._clients.set(channel, clients)
    broker._port.subscribe(channel)
  }
  clients.set(String(client.id), client)
  return undefined
}

function unsubscribe(broker, client, channel) {
  if (isServerSocket(client)) return broker._port.unsubscribeSocket(client, channel)
  const clients = broker._clients.get(channel)
  if (!clients || !clients.delete(String(client.id)) || clients.size) return undefined
  broker._clients.delete(channel)
  broker._port.unsubscribe(channel)
  return undefined
}

// By presence, not by value: a socket which has been closed may have let go of its native half.
function isServerSocket(client) {
  return '_native' in client
}

function isDefaultCodec(codec) {
  return !codec || codec === formatter || codec.encode === formatter.encode
}

module.exports = Broker
