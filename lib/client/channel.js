'use strict'

const Original = require('ag-channel')

/** @type {any} */
const AGChannel = Original

/** A handle on a channel, with what kept channels and channels with presence have on top. */
class AGClientChannel extends AGChannel {
  constructor(name, client) {
    super(name, client, client._channelEventDemux, client._channelDataDemux)
  }

  /** Where the subscription stands: the last message handed over, or where live began. */
  get position() {
    return this.client._track(this.name)?.position
  }

  /** Whether the last recovery left nothing out; undefined while there is none to speak of. */
  get recovered() {
    return this.client._track(this.name)?.recovered
  }

  history(options) {
    return this.client.history(this.name, options)
  }

  presence() {
    return this.client.presence(this.name)
  }

  transmitPublish(data, options) {
    return this.client.transmitPublish(this.name, data, options)
  }

  invokePublish(data, options) {
    return this.client.invokePublish(this.name, data, options)
  }
}

module.exports = { AGClientChannel }
