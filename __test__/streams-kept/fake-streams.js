'use strict'

// Kept channels in memory, which fail when a test wants them to. What works is tested on the core.

const StreamError = require('../../lib/core/stream-error')
const { createBroker } = require('../exchange/fake-port')

class FakeStreams {
  constructor() {
    this.on = true
    this.held = 0
    /** Every request: its event and fields. */
    this.requests = []
    /** Errors that the next requests of an event fail with. */
    this.failures = new Map()
    this.channels = new Map()
    this.committed = new Map()
    this.epochs = 0
  }

  isKept(channel) {
    return channel.startsWith('kept')
  }

  need() {}

  hold() {
    this.held++
  }

  release() {
    this.held--
  }

  encode(data) {
    return JSON.stringify(data)
  }

  decode(value) {
    return value
  }

  request(event, fields, data) {
    return new Promise((resolve, reject) => this.send(event, fields, data, { resolve, reject }))
  }

  send(event, fields, data, { resolve, reject }) {
    this.requests.push({ event, ...fields })
    const given = data === undefined ? fields : { ...fields, data: JSON.parse(data) }
    // As the core's events: after the turn, all in one go.
    setImmediate(() => {
      const code = (this.failures.get(event) || []).shift()
      if (code) reject(new StreamError(`${event} failed`, code))
      else {
        try {
          resolve(this[event](given))
        } catch (error) {
          reject(error)
        }
      }
      for (const deliver of this.deliveries.splice(0)) deliver()
    })
  }

  deliveries = []

  channel(name) {
    if (!this.channels.has(name)) this.restart(name)
    return this.channels.get(name)
  }

  /** A new epoch, as after the loss of all messages. */
  restart(name) {
    this.channels.set(name, { epoch: `e${++this.epochs}`, offset: 0, messages: [] })
  }

  /** The channel forgets its messages up to an offset. */
  trim(name, offset) {
    const channel = this.channel(name)
    channel.messages = channel.messages.filter((message) => message.offset > offset)
  }

  append(name, data) {
    const channel = this.channel(name)
    const place = { epoch: channel.epoch, offset: ++channel.offset }
    channel.messages.push({ data, offset: place.offset, timestamp: 1000 + place.offset })
    this.deliveries.push(() => this.broker._deliver(name, data, place))
    return place
  }

  fail(event, ...codes) {
    this.failures.set(event, codes)
  }

  asked(event) {
    return this.requests.filter((request) => request.event === event)
  }

  '#publish'({ channel, data }) {
    return this.append(channel, data)
  }

  '#history'({ channel: name, since, limit = 100, reverse }) {
    const { epoch, offset, messages } = this.channel(name)
    const oldest = messages.length > 0 ? messages[0].offset : offset + 1
    if (since && (since.epoch !== epoch || since.offset + 1 < oldest)) {
      throw new StreamError('lost', 'ERR_POSITION_LOST')
    }
    const found = messages.filter((message) => !since || message.offset > since.offset)
    if (reverse) found.reverse()
    return { epoch, offset, messages: found.slice(0, limit), more: found.length > limit }
  }

  '#subscribe'({ channel: name, since }) {
    const { epoch, offset, messages } = this.channel(name)
    if (!since) return { epoch, offset }
    const recovered = since.epoch === epoch
    if (recovered) {
      for (const message of messages.filter((each) => each.offset > since.offset)) {
        const place = { epoch, offset: message.offset }
        this.deliveries.push(() => this.broker._replay(name, message.data, place))
      }
    }
    return { epoch, offset, recovered }
  }

  '#commit'({ name, channel, epoch, offset }) {
    this.committed.set(`${name} ${channel}`, { epoch, offset })
    return {}
  }

  '#committed'({ name, channel }) {
    return this.committed.get(`${name} ${channel}`) || {}
  }
}

/** A broker whose channels of a name that begins with `kept` are kept. */
function createKept(streams = new FakeStreams()) {
  const { broker, port, exchange } = createBroker()
  streams.broker = broker
  broker._streams = streams
  return { broker, port, exchange, streams }
}

module.exports = { FakeStreams, createKept }
