'use strict'

const native = require('../core/native')
const { NetworkClusterError } = require('../core/network-cluster-error')
const { encode, tags } = require('../values/index.js')
const { argsOf, encodeArgs } = require('./args.js')

/** Events of one name, with JSON text of a list of what each was emitted with. */
const SEVERAL = tags.ABSENT
/** So many at once are part of a stream of them. */
const MANY = 32
/** Milliseconds that more of a stream may wait. */
const PAUSE = 1

/**
 * The events of this process: what one thread emits is put into the mailboxes of the others by the
 * core, and a thread is woken when its mailbox was empty.
 */
class LocalBus {
  #bus
  #receiver

  /**
   * @param {string} name
   * @param {import('./options.js').EmitterOptions} options
   * @param {import('./route.js').Receiver} receiver
   */
  constructor(name, options, receiver) {
    this.#receiver = receiver
    const { maxQueue, overflow } = options
    this.#bus = new native.NativeBus(name, maxQueue, overflow, () => this.#drain())
  }

  /** @param {string} name */
  subscribe(name) {
    return this.#bus.subscribe(name)
  }

  /** @param {string} name */
  unsubscribe(name) {
    this.#bus.unsubscribe(name)
  }

  /**
   * @param {string} name
   * @param {unknown[]} args
   * @returns {boolean}
   */
  emit(name, args) {
    const data = encodeArgs(args)
    return this.#bus.emit(name, encode.tag, data) >= 0
  }

  /**
   * @param {string} name
   * @param {unknown[]} args
   * @returns {Promise<number>}
   */
  async emitAndCount(name, args) {
    const data = encodeArgs(args)
    return this.putAndCount(name, encode.tag, data)
  }

  /**
   * @param {string} name
   * @param {number} tag
   * @param {string | Uint8Array} data
   * @returns {Promise<number>}
   */
  async putAndCount(name, tag, data) {
    const count = this.#bus.emit(name, tag, data)
    if (count >= 0) return count
    throw new NetworkClusterError('ERR_NC_QUEUE_FULL', 'the queue of a listener is full')
  }

  async stats() {
    return this.#bus.figures()
  }

  async close() {
    this.#bus.close()
  }

  /**
   * Takes events until there are none left: the core wakes nobody who will come back anyway. Where many
   * came, it comes back later: to be woken for each takes who emits several times as long.
   */
  #drain() {
    const records = this.#bus.drain()
    const missed = /** @type {number} */ (records[0])
    if (missed > 0) this.#receiver.missed(missed)
    if (records.length === 1) return
    let count = 0
    for (let at = 1; at < records.length; at += 3) count += this.#take(records, at)
    if (count < MANY) setImmediate(() => this.#drain())
    else setTimeout(() => this.#drain(), PAUSE)
  }

  /**
   * Delivers a record: one event, or several.
   * @param {(number | string | Buffer)[]} records
   * @param {number} at
   * @returns {number} how many
   */
  #take(records, at) {
    const name = /** @type {string} */ (records[at])
    const tag = /** @type {number} */ (records[at + 1])
    const data = /** @type {string | Buffer} */ (records[at + 2])
    if (tag !== SEVERAL) {
      const args = argsOf(tag, data)
      if (args !== null) this.#receiver.event(name, args)
      return 1
    }
    const all = JSON.parse(/** @type {string} */ (data))
    for (const args of all) this.#receiver.event(name, args)
    return all.length
  }
}

module.exports = LocalBus
