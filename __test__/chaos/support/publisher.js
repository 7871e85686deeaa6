'use strict'

/**
 * @typedef {object} Acked
 * @property {string} channel
 * @property {string} epoch
 * @property {number} offset
 * @property {boolean} duplicate whether the publish that was answered had got in before
 */

/**
 * Publishes one message after the other to a channel, each under a key and again and again until it
 * is answered.
 */
class Publisher {
  /**
   * @param {string} name
   * @param {{ publish(channel: string, data: any, key: string): Promise<any> }} member
   * @param {string} channel
   * @param {{ between(from: number, to: number): number }} random
   */
  constructor(name, member, channel, random) {
    this.name = name
    this.channel = channel
    /** @type {Map<string, Acked>} */
    this.acked = new Map()
    this.retries = 0
    /** @type {string[]} */
    this.violations = []
    this._member = member
    this._random = random
    this._stopped = false
    this._abandoned = false
    this.ended = this._run()
  }

  /** Resolves when the publish under way has been answered. */
  stop() {
    this._stopped = true
    return this.ended
  }

  /** Nothing is tried again, so that a test that has failed ends. */
  abandon() {
    this._stopped = true
    this._abandoned = true
  }

  async _run() {
    for (let number = 0; !this._stopped; number++) {
      const id = `${this.name}:${number}`
      const answer = await this._insist(id)
      if (!answer) return
      this.acked.set(id, { channel: this.channel, duplicate: false, ...answer })
      if (this._random.between(1, 10) === 1) await this._repeat(id, answer)
    }
  }

  async _insist(id) {
    for (;;) {
      try {
        return await this._member.publish(this.channel, id, id)
      } catch (error) {
        if (this._abandoned) return null
        if (error.name === 'StreamError') this.violations.push(`${id}: ${error.code}`)
        this.retries++
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    }
  }

  /** What has been answered is published again: nothing may come of it. */
  async _repeat(id, { epoch, offset }) {
    const again = await this._member.publish(this.channel, id, id).catch(() => null)
    if (!again || again.epoch !== epoch) return
    if (!again.duplicate || again.offset !== offset)
      this.violations.push(`${id} at ${offset}, then ${JSON.stringify(again)}`)
  }
}

module.exports = { Publisher }
