'use strict'

// An in-memory BrokerPort: what the core does for one broker, without sockets.
const Broker = require('../../lib/exchange/broker')

class FakePort {
  constructor() {
    /** @type {Map<string, Set<unknown>>} */
    this.channels = new Map()
    this.interest = 0
    this.published = []
    this.patched = []
    this.interestCalls = []
  }

  subscribe(channel) {
    return this.add(channel, 'js')
  }

  unsubscribe(channel) {
    return this.remove(channel, 'js')
  }

  publish(channel, json, suppressEvent) {
    this.published.push({ channel, json, suppressEvent })
    this.route(channel, json === undefined ? undefined : JSON.parse(json), suppressEvent)
  }

  publishValue(channel, data, suppressEvent) {
    const encoded = this.broker._codec.encode({ event: '#publish', data: { channel, data } })
    this.published.push({ channel, encoded, suppressEvent })
    this.route(channel, data, suppressEvent)
  }

  subscriptions() {
    return [...this.channels.keys()]
  }

  isSubscribed(channel) {
    return this.channels.has(channel)
  }

  async subscribeSocket(socket, channel) {
    this.add(channel, socket)
  }

  async unsubscribeSocket(socket, channel) {
    this.remove(channel, socket)
  }

  setInterest(bit, on) {
    this.interestCalls.push([bit, on])
    this.interest = on ? this.interest | bit : this.interest & ~bit
  }

  onPatched(name) {
    this.patched.push(name)
  }

  route(channel, data, suppressEvent) {
    const subscribers = this.channels.get(channel)
    if (subscribers && subscribers.has('js')) this.broker._deliver(channel, data)
    if (!suppressEvent) this.report(Broker.INTEREST_PUBLISH, channel, data)
  }

  add(channel, subscriber) {
    const subscribers = this.channels.get(channel)
    if (subscribers) {
      subscribers.add(subscriber)
      return false
    }
    this.channels.set(channel, new Set([subscriber]))
    this.report(Broker.INTEREST_SUBSCRIBE, channel)
    return true
  }

  remove(channel, subscriber) {
    const subscribers = this.channels.get(channel)
    if (!subscribers || !subscribers.delete(subscriber) || subscribers.size) return false
    this.channels.delete(channel)
    this.report(Broker.INTEREST_UNSUBSCRIBE, channel)
    return true
  }

  report(bit, channel, data) {
    if (this.interest & bit) this.broker._onNative(bit, channel, data)
  }
}

/** @param {typeof Broker} [Class] */
function createBroker(Class = Broker) {
  const port = new FakePort()
  const broker = new Class(port)
  port.broker = broker
  return { broker, port, exchange: broker.exchange() }
}

/** Collects what a stream gives from now on. */
function collect(stream) {
  const values = []
  const consumer = stream.createConsumer()
  const loop = (async () => {
    for await (const value of consumer) values.push(value)
  })()
  return { values, loop }
}

/** Lets everything written to streams reach its loops. */
const settle = () => new Promise((resolve) => setImmediate(resolve))

module.exports = { FakePort, createBroker, collect, settle }
