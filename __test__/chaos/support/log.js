'use strict'

/** What a channel keeps, as `#history` tells it, read on from where it was left. */
class Log {
  /**
   * @param {string} channel
   * @param {(data: any) => any} [idOf] what is to be remembered of a message
   */
  constructor(channel, idOf = (data) => data) {
    this.channel = channel
    this._idOf = idOf
    this.epoch = null
    /** By offset. @type {any[]} */
    this.data = []
    /** By offset, unix ms. @type {number[]} */
    this.timestamps = []
    /** @type {string[]} */
    this.violations = []
  }

  get head() {
    return Math.max(0, this.data.length - 1)
  }

  /**
   * Reads what is new; the client must be subscribed.
   *
   * @param {import('./light-client').LightClient} client
   */
  async read(client) {
    for (;;) {
      const since = this.epoch ? { since: { epoch: this.epoch, offset: this.head } } : {}
      const page = await client.call('#history', { channel: this.channel, limit: 1000, ...since })
      if (this.epoch && page.epoch !== this.epoch)
        this.violations.push(`${this.channel}: epoch ${page.epoch} after ${this.epoch}`)
      this.epoch = page.epoch
      for (const message of page.messages) this._add(message)
      if (!page.more) return this
      if (page.messages.length === 0) throw new Error('there is more, but nothing came')
    }
  }

  _add({ offset, data, timestamp }) {
    if (this.data.length > 0 && offset !== this.head + 1)
      this.violations.push(`${this.channel}: ${offset} after ${this.head}`)
    this.data[offset] = this._idOf(data)
    this.timestamps[offset] = timestamp
  }
}

/** A client that is subscribed to the channels, for `Log.read`. */
async function reader(client, channels) {
  await client.connect()
  for (const channel of channels) await client.call('#subscribe', { channel })
  return client
}

module.exports = { Log, reader }
