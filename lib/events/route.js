'use strict'

const hosts = require('../link/hosts.js')
const LocalBus = require('./local.js')
const RemoteBus = require('./remote.js')

/**
 * @typedef {object} EmitterStats what all its threads and processes have done together
 * @property {number} emitted events
 * @property {number} delivered how often one was put into an emitter's queue
 * @property {number} dropped how often one found no room, or lost it
 * @property {number} waiting events in this emitter's own queue
 */

/**
 * @typedef {object} Backend how an emitter reaches the others
 * @property {(name: string) => boolean} subscribe false if there are too many names
 * @property {(name: string) => void} unsubscribe
 * @property {(name: string, args: unknown[]) => boolean} emit
 * @property {(name: string, args: unknown[]) => Promise<number>} emitAndCount
 * @property {() => Promise<EmitterStats>} stats
 */

/** @typedef {(name: string, args: unknown[]) => void} Deliver */

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
  #deliver

  /**
   * @param {string | URL | undefined} url
   * @param {import('./options.js').EmitterOptions} options
   * @param {Deliver} deliver
   */
  constructor(url, options, deliver) {
    this.#options = options
    this.#deliver = deliver
    if (url === undefined) {
      this.#backend = new LocalBus('', options, deliver)
      return
    }
    const { token, host, connectTimeout } = options
    const joined = hosts.join(url, { role: 'events', token, host, connectTimeout })
    this.#joined = joined
    joined.on('change', () => this.#move())
    this.#backend =
      joined.client === null
        ? new LocalBus(joined.memoryName, options, deliver)
        : new RemoteBus(joined.client, deliver)
  }

  get ready() {
    return this.#joined === null ? Promise.resolve() : this.#joined.ready
  }

  get backend() {
    return this.#backend
  }

  async close() {
    if (this.#backend instanceof LocalBus) this.#backend.close()
    this.#joined?.close()
  }

  /** Who served the address is gone, and this process serves it now. */
  #move() {
    const joined = /** @type {ReturnType<typeof hosts.join>} */ (this.#joined)
    const before = /** @type {RemoteBus} */ (this.#backend)
    this.#backend = new LocalBus(joined.memoryName, this.#options, this.#deliver)
    for (const name of before.names) this.#backend.subscribe(name)
  }
}

module.exports = Route
