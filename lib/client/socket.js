'use strict'

const socketCluster = require('socketcluster-client')
const { AGClientChannel } = require('./channel')
const { streamError } = require('./errors')
const { isPosition } = require('./position')
const { Track } = require('./track')

/** @type {any} */
const Original = socketCluster.AGClientSocket

/** SocketCluster's client, which on kept channels goes on where it was. */
class AGClientSocket extends Original {
  constructor(options) {
    super(options)
    // Connecting has begun in the line above, but nothing happens before this turn is over.
    /** @type {Map<string, InstanceType<typeof Track>>} of the kept channels, until they are unsubscribed from */
    this._tracks = new Map()
  }

  channel(channelName) {
    return new AGClientChannel(channelName, this)
  }

  subscribe(channelName, options) {
    // A subscription that exists knows better where it stands.
    if (options?.since != null && !this.isSubscribed(channelName, true)) {
      this._makeTrack(channelName).startFrom(options.since)
    }
    super.subscribe(channelName, options)
    return this.channel(channelName)
  }

  unsubscribe(channelName) {
    super.unsubscribe(channelName)
    this._tracks.delete(channelName)
  }

  history(channelName, options) {
    return this.invoke('#history', { ...options, channel: this._decorateChannelName(channelName) })
  }

  presence(channelName) {
    return this.invoke('#presence', { channel: this._decorateChannelName(channelName) })
  }

  transmitPublish(channelName, data, options) {
    return this.transmit('#publish', this._publication(channelName, data, options))
  }

  async invokePublish(channelName, data, options) {
    const answer = await this.invoke('#publish', this._publication(channelName, data, options))
    checkAnswer(options ?? {}, answer)
    return answer
  }

  _publication(channelName, data, options) {
    const publication = { channel: this._decorateChannelName(channelName), data }
    const { key, delay, at } = options ?? {}
    if (key != null) publication.key = key
    if (delay != null) publication.delay = delay
    if (at != null) publication.at = at
    return publication
  }

  _track(channelName) {
    return this._tracks.get(channelName)
  }

  _makeTrack(channelName) {
    let track = this._tracks.get(channelName)
    if (!track) {
      track = new Track(this._trackPort(channelName))
      this._tracks.set(channelName, track)
    }
    return track
  }

  _trackPort(channelName) {
    const listener = `${channelName}/message`
    return {
      deliver: (message) => {
        this._channelDataDemux.write(channelName, message.data)
        this._channelEventDemux.write(listener, message)
      },
      report: (recovered, position) => this._reportRecovery(channelName, recovered, position),
      fetch: (request) => this.history(channelName, request),
    }
  }

  _reportRecovery(channelName, recovered, position) {
    const recovery = { channel: channelName, recovered, ...position }
    this._channelEventDemux.write(`${channelName}/recover`, recovery)
    this.emit('recover', recovery)
  }

  // The original's, with `since` in the request and a look at what the answer says.
  _trySubscribe(channel) {
    const { waitForAuth, data } = channel.options
    const mayAsk = !waitForAuth || this.authState === this.AUTHENTICATED
    const isReady = this.state === this.OPEN && !this.preparingPendingSubscriptions
    if (!isReady || !mayAsk || channel._pendingSubscriptionCid != null) return

    const subscriptionOptions = {}
    if (waitForAuth) subscriptionOptions.waitForAuth = true
    if (data) subscriptionOptions.data = data
    const since = this._track(channel.name)?.resume()
    if (since !== undefined) subscriptionOptions.since = since

    channel._pendingSubscriptionCid = this.transport.invokeRaw(
      '#subscribe',
      { channel: this._decorateChannelName(channel.name), ...subscriptionOptions },
      waitForAuth ? { noTimeout: true, waitForAuth } : { noTimeout: true },
      (error, answer) => this._onSubscribeAnswer(channel, subscriptionOptions, error, answer),
    )
    this.emit('subscribeRequest', { channel: channel.name, subscriptionOptions })
  }

  _onSubscribeAnswer(channel, subscriptionOptions, error, answer) {
    // The subscription stays pending, for the next connection.
    if (error?.name === 'BadConnectionError') return
    delete channel._pendingSubscriptionCid
    if (error) {
      if (error.code === 'ERR_BAD_POSITION') this._tracks.delete(channel.name)
      this._triggerChannelSubscribeFail(error, channel, subscriptionOptions)
      return
    }
    this._triggerChannelSubscribe(channel, subscriptionOptions)
    if (isPosition(answer)) this._makeTrack(channel.name)
    this._track(channel.name)?.answered(answer)
  }

  _triggerChannelUnsubscribe(channel, setAsPending) {
    this._track(channel.name)?.suspend()
    super._triggerChannelUnsubscribe(channel, setAsPending)
  }
}

/** Names come from the wire, so this has no prototype. */
AGClientSocket.prototype._privateDataHandlerMap = {
  __proto__: null,
  ...Original.prototype._privateDataHandlerMap,
  '#publish': onPublish,
  '#presence': onPresence,
}

/** @this {AGClientSocket} */
function onPublish(packet) {
  const { channel, data, epoch, offset } = packet
  if (typeof channel !== 'string') return
  const name = this._undecorateChannelName(channel)
  if (!isPosition(packet)) {
    if (!this.isSubscribed(name, true)) return
    this._track(name)?.receiveUnplaced()
    this._channelDataDemux.write(name, data)
  } else if (this.isSubscribed(name)) {
    // Before the answer it belongs to an earlier subscription: it is replayed, or was not asked for.
    this._makeTrack(name).receive({ data, epoch, offset })
  }
}

/** @this {AGClientSocket} */
function onPresence({ channel, type, id, info }) {
  if (typeof channel !== 'string' || (type !== 'join' && type !== 'leave')) return
  const name = this._undecorateChannelName(channel)
  if (this.isSubscribed(name, true)) this._channelEventDemux.write(`${name}/${type}`, { id, info })
}

/** A server without streams publishes at once and unconditionally, and has not said what was done. */
function checkAnswer({ key, delay, at }, answer) {
  if (delay != null || at != null) {
    if (answer?.id != null) return
    throw streamError('The server does not schedule; it has published at once', 'ERR_NOT_KEPT')
  }
  if (key == null || isPosition(answer)) return
  throw streamError('The channel is not kept, so the key had no effect', 'ERR_NOT_KEPT')
}

module.exports = { AGClientSocket }
