'use strict'

// The exchange: how server code publishes to channels and subscribes to them itself.
const AGChannel = require('ag-channel')
const ChannelStreams = require('./channel-streams')
const { makePatchable } = require('./patchable')

const PATCHABLE_METHODS = Object.freeze(['transmitPublish', 'invokePublish'])

/** A client of the broker which lives in this process; its channels are streams. */
class Exchange extends ChannelStreams {
  /** @param {import('./broker')} broker */
  constructor(broker) {
    super()
    this.id = 'exchange'
    this._broker = broker
    /** @type {Map<string, Function>} methods replaced by the application */
    this._patches = new Map()
    /** @type {Map<string, { name: string, state: string }>} */
    this._channelMap = new Map()
  }

  transmit(event, packet) {
    if (event === '#publish') this._channelDataDemux.write(packet.channel, packet.data)
  }

  getBackpressure() {
    return Math.max(this.getAllListenersBackpressure(), this.getAllChannelsBackpressure())
  }

  destroy() {
    this._broker.closeAllListeners()
  }

  async transmitPublish(channelName, data) {
    return this._broker.transmitPublish(channelName, data)
  }

  async invokePublish(channelName, data) {
    return this._broker.invokePublish(channelName, data)
  }

  /** Subscribes to a channel, unless the exchange already is, and returns a handle on it. */
  subscribe(channelName) {
    const key = String(channelName)
    if (!this._channelMap.has(key)) {
      const channel = { name: channelName, state: AGChannel.PENDING }
      this._channelMap.set(key, channel)
      this._triggerChannelSubscribe(channel)
    }
    return this.channel(channelName)
  }

  async unsubscribe(channelName) {
    const channel = this._channelMap.get(String(channelName))
    if (channel) this._triggerChannelUnsubscribe(channel)
  }

  /** A handle on a channel, subscribed or not. */
  channel(channelName) {
    return new AGChannel(channelName, this, this._channelEventDemux, this._channelDataDemux)
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

  _triggerChannelSubscribe(channel) {
    channel.state = AGChannel.SUBSCRIBED
    this._channelEventDemux.write(`${channel.name}/subscribe`, {})
    this._broker.subscribeClient(this, channel.name)
    this.emit('subscribe', { channel: channel.name })
  }

  _triggerChannelUnsubscribe(channel) {
    this._channelMap.delete(String(channel.name))
    if (channel.state !== AGChannel.SUBSCRIBED) return
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
