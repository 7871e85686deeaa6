'use strict'

const hosts = require('../link/hosts.js')
const LocalBus = require('./local.js')
const RemoteBus = require('./remote.js')

/**
 * @typedef {object} BusStats what all its threads and processes have done together
 * @property {number} emitted events
 * @property {number} delivered how often one was put into an emitter's queue
 * @property {number} dropped how often one found no room, or lost it
 * @property {number} waiting events in this emitter's own queue
 */

/** @typedef {BusStats & { missed: number }} EmitterStats `missed`: those dropped from its own queue */

/**
 * @typedef {object} Receiver
 * @property {(name: string, args: unknown[]) => void} event
 * @property {(count: number) => void} missed events that were dropped from its queue
 */

/**
 * @typedef {object} Backend how an emitter reaches the others
 * @property {(name: string) => boolean} subscribe false if there are too many names
 * @property {(name: string) => void} unsubscribe
 * @property {(name: string, args: unknown[]) => boolean} emit
 * @property {(name: string, args: unknown[]) => Promise<number>} emitAndCount
 * @property {() => Promise<BusStats>} stats
 * @property {() => Promise<void>} close
 */

/**
 * How an emitter reaches the others: within this process, or through the one that serves its URL.
 * That may become this one.
 */
class Route {
  /** @type {ReturnType<typeof hosts.join> | null} */
  #joined = null
  /** @type {Backend} */
  #backend
  #options
  #receiver

  /**
   * @param {string | URL | undefined} url
   * @param {import('./options.js').EmitterOptions} options
   * @param {Receiver} receiver
   */
  constructor(url, options, receiver) {
    this.#options = options
    this.#receiver = receiver
    if (url === undefined) {
      this.#backend = new LocalBus('', options, receiver)
      return
    }
    const { token, host, connectTimeout, maxQueue, overflow } = options
    const queue = { maxQueue, overflow }
    const joined = hosts.join(url, { role: 'events', token, host, connectTimeout, queue })
    this.#joined = joined
    joined.on('change', () => this.#move())
    this.#backend =
      joined.client === null
        ? new LocalBus(joined.memoryName, options, receiver)
        : new RemoteBus(joined.client, receiver)
  }

  get ready() {
    return this.#joined === null ? Promise.resolve() : this.#joined.ready
  }

  get backend() {
    return this.#backend
  }

  async close() {
    const backend = this.#backend
    await backend.close()
    // It may have become another one meanwhile.
    if (this.#backend !== backend) await this.#backend.close()
    this.#joined?.close()
  }

  /** Who served the address is gone, and this process serves it now. */
  #move() {
    const joined = /** @type {ReturnType<typeof hosts.join>} */ (this.#joined)
    const before = /** @type {RemoteBus} */ (this.#backend)
    const local = new LocalBus(joined.memoryName, this.#options, this.#receiver)
    this.#backend = local
    before.moveTo(local)
  }
}

module.exports = Route
