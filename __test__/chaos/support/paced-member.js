'use strict'

/**
 * A member that publishes no more than logs keep until they are read on. They are read to their end, also
 * by a slow reader: the limit moves only afterwards.
 */
class PacedMember {
  /**
   * @param {{ publish(channel: string, data: any, key: string): Promise<any>, close(): void }} member
   * @param {import('./log').Log[]} logs
   * @param {number} most so many are published to a channel, and those under way
   */
  constructor(member, logs, most) {
    this._member = member
    this._logs = logs
    this._most = most
    this._heads = new Map(logs.map((log) => [log.channel, 0]))
    this.goOn()
  }

  /** The logs have been read. */
  goOn() {
    this._ends = new Map(this._logs.map((log) => [log.channel, log.head + this._most]))
  }

  isFull(channel) {
    return this._heads.get(channel) >= this._ends.get(channel)
  }

  /** From now on there is no limit. */
  release() {
    this._ends = new Map(this._logs.map((log) => [log.channel, Infinity]))
  }

  async publish(channel, data, key) {
    if (this.isFull(channel)) throw new Error('the log has to be read first')
    const answer = await this._member.publish(channel, data, key)
    this._heads.set(channel, Math.max(this._heads.get(channel), answer.offset))
    return answer
  }

  close() {
    this._member.close()
  }
}

module.exports = { PacedMember }
