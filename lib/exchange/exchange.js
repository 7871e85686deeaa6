'use strict'

// The exchange: how server code publishes to channels and subscribes to them itself.
const AGChannel = require('ag-channel')
const KeptStreams = require('./kept')
const KeptChannel = require('./kept-channel')
const { makePatchable } = require('./patchable')

const PATCHABLE_METHODS = Object.freeze(['transmitPublish', 'invokePublish'])

/** A client of the broker which lives in this process; its channels are streams. */
class Exchange extends KeptStreams {
  /** @param {import('./broker')} broker */
  constructor(broker) {
    super(broker)
    this.id = 'exchange'
    /** @type {Map<string, Function>} methods replaced by the application */
    this._patches = new Map()
  }

  transmit(event, packet) {
    if (event !== '#publish') return
    if (packet.epoch === undefined) this._channelDataDemux.write(packet.channel, packet.data)
    else this._transmitPlaced(packet)
  }

  getBackpressure() {
    return Math.max(this.getAllListenersBackpressure(), this.getAllChannelsBackpressure())
  }

  destroy() {
    this._broker.closeAllListeners()
  }

  async transmitPublish(channelName, data, options) {
    if (this._hasOptions(options)) {
      this._publishWith(channelName, data, options).catch((error) => {
        this._broker.emit('error', { error })
      })
      return undefined
    }
    return this._broker.transmitPublish(channelName, data)
  }

  async invokePublish(channelName, data, options) {
    if (this._hasOptions(options)) return this._publishWith(channelName, data, options)
    return this._broker.invokePublish(channelName, data)
  }

  /**
   * Subscribes to a channel, unless the exchange already is, and returns a handle on it.
   * @param {string} channelName
   * @param {{ since?: { epoch: string, offset: number } }} [options]
   */
  subscribe(channelName, options) {
    const key = String(channelName)
    const since = options == null ? undefined : this._checkSince(options.since)
    if (!this._channelMap.has(key)) {
      const channel = { name: channelName, state: AGChannel.PENDING }
      this._channelMap.set(key, channel)
      this._triggerChannelSubscribe(channel, since)
    }
    return this.channel(channelName)
  }

  async unsubscribe(channelName) {
    const channel = this._channelMap.get(String(channelName))
    if (channel) this._triggerChannelUnsubscribe(channel)
  }

  /** A handle on a channel, subscribed or not. */
  channel(channelName) {
    return new KeptChannel(channelName, this, this._channelEventDemux, this._channelDataDemux)
  }

  subscriptions(includePending) {
    const names = []
    for (const [name, channel] of this._channelMap) {
      if (includePending || channel.state === AGChannel.SUBSCRIBED) names.push(name)
    }
    return names
  }

  isSubscribed(channelName, includePending) {
    const channel = this._channelMap.get(String(channelName))
    return !!channel && (!!includePending || channel.state === AGChannel.SUBSCRIBED)
  }

  getChannelState(channelName) {
    const channel = this._channelMap.get(String(channelName))
    return channel ? channel.state : AGChannel.UNSUBSCRIBED
  }

  getChannelOptions(_channelName) {
    return {}
  }

  _triggerChannelSubscribe(channel, since) {
    const { _broker: broker } = this
    if (since !== undefined) {
      broker.subscribeClient(this, channel.name)
      this._askForPosition(channel, since)
      return
    }
    channel.state = AGChannel.SUBSCRIBED
    this._channelEventDemux.write(`${channel.name}/subscribe`, {})
    broker.subscribeClient(this, channel.name)
    this.emit('subscribe', { channel: channel.name })
    if (broker._streams && broker._streams.isKept(String(channel.name))) {
      this._askForPosition(channel, undefined)
    }
  }

  /** A subscription that had to wait for the core has begun. */
  _openChannel(channel) {
    channel.state = AGChannel.SUBSCRIBED
    this._channelEventDemux.write(`${channel.name}/subscribe`, {})
    this.emit('subscribe', { channel: channel.name })
  }

  _triggerChannelUnsubscribe(channel) {
    this._channelMap.delete(String(channel.name))
    if (channel.state !== AGChannel.SUBSCRIBED) {
      this._broker.unsubscribeClient(this, channel.name)
      return
    }
    this._channelEventDemux.write(`${channel.name}/unsubscribe`, {})
    this._broker.unsubscribeClient(this, channel.name)
    this.emit('unsubscribe', { channel: channel.name })
  }
}

Exchange.PATCHABLE_METHODS = PATCHABLE_METHODS

makePatchable(Exchange, PATCHABLE_METHODS, (exchange, name) => {
  exchange._broker._onExchangePatched(name)
})

module.exports = Exchange
