'use strict'

// What the exchange can do with channels that keep their messages, and with presence.

const AGChannel = require('ag-channel')
const StreamError = require('../core/stream-error')
const DurableConsumer = require('../streams/consume')
const { isPosition } = require('../client/position')
const ChannelStreams = require('./channel-streams')

/**
 * @typedef {import('../server/stream-port')} StreamPort
 * @typedef {{ epoch: string, offset: number }} Position
 * @typedef {{ name: string, state: string, position?: Position }} Subscription
 * @typedef {{ key?: string, delay?: number, at?: number }} PublishOptions
 */

const OPTIONS = ['key', 'delay', 'at']
const LONGEST_KEY = 256

/** The part of an exchange that nobody needs whose channels keep nothing. */
class KeptStreams extends ChannelStreams {
  /** @param {import('./broker')} broker */
  constructor(broker) {
    super()
    this._broker = broker
    /** @type {Map<string, Subscription>} */
    this._channelMap = new Map()
    /** @type {Map<string, DurableConsumer>} */
    this._consumers = new Map()
  }

  /** @returns {StreamPort} */
  _needStreams() {
    const { _streams: streams } = this._broker
    if (streams === undefined) throw new StreamError('There are no streams', 'ERR_NO_STREAMS')
    streams.need()
    return streams
  }

  /** Whether a publish has options that only the core can meet. */
  _hasOptions(options) {
    return options != null && OPTIONS.some((name) => options[name] !== undefined)
  }

  /** Whether the methods that publish are those that know of options. */
  _passesOptions() {
    const { _broker: broker } = this
    return !broker._isPatched('transmitPublish') && !broker._isPatched('invokePublish')
  }

  /**
   * @param {string} channelName
   * @param {any} data
   * @param {PublishOptions} options
   */
  async _publishWith(channelName, data, options) {
    this._needStreams()
    const { _broker: broker } = this
    if (!this._passesOptions()) {
      throw new StreamError(
        'A publish method of the broker was replaced: it knows no key, delay or at',
        'ERR_BAD_REQUEST',
      )
    }
    checkOptions(options)
    return broker._publishKept(String(channelName), data, options)
  }

  /**
   * What a channel has kept.
   * @param {string} channelName
   * @param {{ limit?: number, since?: Position, reverse?: boolean }} [options]
   */
  async history(channelName, { limit, since, reverse } = {}) {
    const streams = this._needStreams()
    const fields = { channel: String(channelName), limit, since, reverse }
    const answer = await streams.request('#history', fields)
    for (const message of answer.messages) {
      if ('data' in message) message.data = streams.decode(message.data)
    }
    return answer
  }

  /** Who is subscribed to a channel. */
  async presence(channelName) {
    const streams = this._needStreams()
    const answer = await streams.request('#presence', { channel: String(channelName) })
    for (const member of answer.members) {
      if ('info' in member) member.info = streams.decode(member.info)
    }
    return answer
  }

  /**
   * Has a handler see every message of a channel at least once.
   * @param {string} name
   * @param {object} options
   * @param {Function} handler
   */
  consume(name, options, handler) {
    const streams = this._needStreams()
    const consumer = new DurableConsumer(this, name, options, handler)
    const { id } = consumer
    if (this._consumers.has(id)) {
      throw new StreamError(
        `The consumer '${name}' of the channel '${consumer.channel}' is open already`,
        'ERR_BAD_REQUEST',
      )
    }
    if (!streams.isKept(consumer.channel)) {
      throw new StreamError(`'${consumer.channel}' keeps no messages`, 'ERR_NOT_KEPT')
    }
    this._consumers.set(id, consumer)
    streams.hold()
    consumer.start().finally(() => {
      this._consumers.delete(id)
      streams.release()
    })
    return consumer
  }

  _closeConsumers() {
    for (const consumer of this._consumers.values()) consumer.close()
  }

  _checkSince(since) {
    if (since === undefined) return undefined
    this._needStreams()
    if (!isPosition(since)) throw new StreamError('since is no position', 'ERR_BAD_POSITION')
    return { epoch: since.epoch, offset: since.offset }
  }

  _positionOf(channelName) {
    const channel = this._channelMap.get(String(channelName))
    return channel && channel.position
  }

  /**
   * The core tells where the channel stands, and with `since` sends what was missed. That comes in the
   * same batch of events, so the answer is no promise.
   */
  _askForPosition(channel, since) {
    const fields = { channel: String(channel.name), since }
    this._needStreams().send('#subscribe', fields, undefined, {
      resolve: (answer) => this._onPosition(channel, since, answer),
      reject: (error) => this._failSubscription(channel, error),
    })
  }

  _onPosition(channel, since, answer) {
    if (this._channelMap.get(String(channel.name)) !== channel) return
    if (since === undefined) {
      this._place(channel, answer)
      return
    }
    channel.position = answer.recovered ? since : undefined
    if (!answer.recovered) this._place(channel, answer)
    this._openChannel(channel)
    this._channelEventDemux.write(`${channel.name}/recover`, answer)
  }

  _failSubscription(channel, error) {
    this._broker.emit('error', { error })
    if (channel.state !== AGChannel.PENDING) return
    this._channelMap.delete(String(channel.name))
    this._broker.unsubscribeClient(this, channel.name)
    this._channelEventDemux.write(`${channel.name}/subscribeFail`, { error })
  }

  /** The position only moves forward within an epoch. */
  _place(channel, { epoch, offset }) {
    if (epoch === undefined) return
    const { position } = channel
    if (position && position.epoch === epoch && position.offset >= offset) return
    channel.position = { epoch, offset }
  }

  /** A message of a channel that the exchange is subscribed to. */
  _transmitPlaced({ channel: name, data, epoch, offset }) {
    const channel = this._channelMap.get(String(name))
    // Before the answer that says where the subscription begins, it has not begun.
    if (channel && channel.state === AGChannel.PENDING) return
    if (channel) this._place(channel, { epoch, offset })
    this._channelDataDemux.write(name, data)
    this._channelEventDemux.write(`${name}/message`, { data, epoch, offset })
  }

  /** @param {Subscription} _channel */
  _openChannel(_channel) {}

  _onPresence(name, type, id, info) {
    const member = info === undefined ? { id } : { id, info }
    this._channelEventDemux.write(`${name}/${type}`, member)
  }
}

// JSON has no NaN and drops functions: what the core would not see is refused here.
/** @param {PublishOptions} options */
function checkOptions({ key, delay, at }) {
  if (key !== undefined && !(typeof key === 'string' && key !== '' && key.length <= LONGEST_KEY)) {
    throw new StreamError(`A key has 1 to ${LONGEST_KEY} characters`, 'ERR_BAD_KEY')
  }
  for (const time of [delay, at]) {
    if (time !== undefined && !Number.isFinite(time)) {
      throw new StreamError('delay and at are numbers of milliseconds', 'ERR_BAD_SCHEDULE')
    }
  }
}

module.exports = KeptStreams
