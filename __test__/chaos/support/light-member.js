'use strict'

const { LightClient } = require('./light-client')

/** A client that connects again whenever it publishes and is not connected. */
class LightMember {
  /**
   * @param {number} port
   * @param {(id: string) => any} dataOf what is published for an id
   */
  constructor(port, dataOf) {
    this.port = port
    this._dataOf = dataOf
    this._connected = null
  }

  async publish(channel, id, key) {
    const client = await this._client()
    return client.call('#publish', { channel, data: this._dataOf(id), key })
  }

  close() {
    this._connected?.then((client) => client.destroy()).catch(() => {})
  }

  _client() {
    this._connected ??= new LightClient(this.port).connect().then(
      (client) => {
        client.ended.then(() => (this._connected = null))
        return client
      },
      (error) => {
        this._connected = null
        throw error
      },
    )
    return this._connected
  }
}

module.exports = { LightMember }
