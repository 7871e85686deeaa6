'use strict'

// The streams behind an exchange's channels: the messages of each channel and its events.
const Emitter = require('../streams/emitter')
const StreamDemux = require('../streams/demux')

/** Everything about closing, killing and measuring channels that is the same for any client. */
class ChannelStreams extends Emitter {
  constructor() {
    super()
    this._channelEventDemux = new StreamDemux()
    this._channelDataDemux = new StreamDemux()
  }

  closeChannel(channelName) {
    this.channelCloseOutput(channelName)
    this.channelCloseAllListeners(channelName)
  }

  closeAllChannelOutputs() {
    this._channelDataDemux.closeAll()
  }

  closeAllChannelListeners() {
    this._channelEventDemux.closeAll()
  }

  closeAllChannels() {
    this.closeAllChannelOutputs()
    this.closeAllChannelListeners()
  }

  channelCloseOutput(channelName) {
    this._channelDataDemux.close(channelName)
  }

  channelCloseListener(channelName, eventName) {
    this._channelEventDemux.close(`${channelName}/${eventName}`)
  }

  channelCloseAllListeners(channelName) {
    for (const name of this._eventStreamNames(channelName)) this._channelEventDemux.close(name)
  }

  killChannel(channelName) {
    this.channelKillOutput(channelName)
    this.channelKillAllListeners(channelName)
  }

  killAllChannelOutputs() {
    this._channelDataDemux.killAll()
  }

  killAllChannelListeners() {
    this._channelEventDemux.killAll()
  }

  killAllChannels() {
    this.killAllChannelOutputs()
    this.killAllChannelListeners()
  }

  channelKillOutput(channelName) {
    this._channelDataDemux.kill(channelName)
  }

  channelKillListener(channelName, eventName) {
    this._channelEventDemux.kill(`${channelName}/${eventName}`)
  }

  channelKillAllListeners(channelName) {
    for (const name of this._eventStreamNames(channelName)) this._channelEventDemux.kill(name)
  }

  killChannelOutputConsumer(consumerId) {
    this._channelDataDemux.killConsumer(consumerId)
  }

  killChannelListenerConsumer(consumerId) {
    this._channelEventDemux.killConsumer(consumerId)
  }

  getChannelOutputConsumerStats(consumerId) {
    return this._channelDataDemux.getConsumerStats(consumerId)
  }

  getChannelListenerConsumerStats(consumerId) {
    return this._channelEventDemux.getConsumerStats(consumerId)
  }

  getAllChannelOutputsConsumerStatsList() {
    return this._channelDataDemux.getConsumerStatsListAll()
  }

  getAllChannelListenersConsumerStatsList() {
    return this._channelEventDemux.getConsumerStatsListAll()
  }

  channelGetOutputConsumerStatsList(channelName) {
    return this._channelDataDemux.getConsumerStatsList(channelName)
  }

  channelGetListenerConsumerStatsList(channelName, eventName) {
    return this._channelEventDemux.getConsumerStatsList(`${channelName}/${eventName}`)
  }

  channelGetAllListenersConsumerStatsList(channelName) {
    return this._eventStreamNames(channelName).flatMap((name) =>
      this._channelEventDemux.getConsumerStatsList(name),
    )
  }

  getChannelBackpressure(channelName) {
    return Math.max(
      this.channelGetOutputBackpressure(channelName),
      this.channelGetAllListenersBackpressure(channelName),
    )
  }

  getAllChannelOutputsBackpressure() {
    return this._channelDataDemux.getBackpressureAll()
  }

  getAllChannelListenersBackpressure() {
    return this._channelEventDemux.getBackpressureAll()
  }

  getAllChannelsBackpressure() {
    return Math.max(
      this.getAllChannelOutputsBackpressure(),
      this.getAllChannelListenersBackpressure(),
    )
  }

  getChannelOutputConsumerBackpressure(consumerId) {
    return this._channelDataDemux.getConsumerBackpressure(consumerId)
  }

  getChannelListenerConsumerBackpressure(consumerId) {
    return this._channelEventDemux.getConsumerBackpressure(consumerId)
  }

  channelGetOutputBackpressure(channelName) {
    return this._channelDataDemux.getBackpressure(channelName)
  }

  channelGetListenerBackpressure(channelName, eventName) {
    return this._channelEventDemux.getBackpressure(`${channelName}/${eventName}`)
  }

  channelGetAllListenersBackpressure(channelName) {
    const names = this._eventStreamNames(channelName)
    return Math.max(0, ...names.map((name) => this._channelEventDemux.getBackpressure(name)))
  }

  hasAnyChannelOutputConsumer(consumerId) {
    return this._channelDataDemux.hasConsumerAll(consumerId)
  }

  hasAnyChannelListenerConsumer(consumerId) {
    return this._channelEventDemux.hasConsumerAll(consumerId)
  }

  channelHasOutputConsumer(channelName, consumerId) {
    return this._channelDataDemux.hasConsumer(channelName, consumerId)
  }

  channelHasListenerConsumer(channelName, eventName, consumerId) {
    return this._channelEventDemux.hasConsumer(`${channelName}/${eventName}`, consumerId)
  }

  channelHasAnyListenerConsumer(channelName, consumerId) {
    const names = this._eventStreamNames(channelName)
    return names.some((name) => this._channelEventDemux.hasConsumer(name, consumerId))
  }

  // The part up to the last slash is the channel: the events of 'a/b' are none of 'a'.
  _eventStreamNames(channelName) {
    const channel = String(channelName)
    return [...this._channelEventDemux._streams.keys()].filter(
      (name) => name.slice(0, name.lastIndexOf('/')) === channel,
    )
  }
}

module.exports = ChannelStreams
