'use strict'

const AGChannel = require('ag-channel')

const Base = /** @type {new (...args: any[]) => { name: string, client: any }} */ (
  /** @type {unknown} */ (AGChannel)
)

/** A channel of the exchange, with what there is to one that keeps its messages. */
class KeptChannel extends Base {
  /** Where the last message stands that the exchange has got. */
  get position() {
    return this.client._positionOf(this.name)
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

module.exports = KeptChannel
