'use strict'

// Where a manager listens: for workers and Adaptables that connect, and for processes of its own.

const { randomBytes } = require('node:crypto')
const Orders = require('./orders')

/** @typedef {InstanceType<typeof import('../link/machine').Machine>} Listener */
/** @typedef {{ id: string, role: string, roles: string[] }} AdaptableInfo */

class Reception {
  #pool
  #options
  /** @type {Listener | undefined} for those that come of their own accord */
  #listener
  /** @type {Listener | undefined} for the processes that the manager makes */
  #inner
  #innerToken = ''
  #orders
  /** @type {Promise<void> | undefined} */
  #starting
  #closed = false

  /**
   * @param {string} pool that workers serve
   * @param {{ listen?: string | URL, acceptWorkers: boolean, token?: string,
   *   allowedOrigins?: readonly string[], workerType: string }} options
   * @param {{ adaptable: (info: AdaptableInfo) => void,
   *   role: (info: AdaptableInfo) => void, leaving: (worker: string) => void }} events
   *   `leaving`: a worker wants to get nothing more
   */
  constructor(pool, options, events) {
    this.#pool = pool
    this.#options = options
    this.#orders = new Orders(events)
  }

  /** @returns {string | undefined} */
  get url() {
    return this.#listener && `http://${this.#listener.key}/`
  }

  start() {
    this.#starting ??= this.#open()
    return this.#starting
  }

  async #open() {
    const { listen: address, acceptWorkers, token, allowedOrigins, workerType } = this.#options
    if (this.#closed || (workerType !== 'process' && address === undefined)) return
    // Read by those who listen only: the first work of a process waits for what is read.
    const { listen } = require('../link/hosts')
    if (workerType === 'process') {
      this.#innerToken = randomBytes(32).toString('base64url')
      this.#inner = listen('http://127.0.0.1:0', { token: this.#innerToken })
      this.#inner.hostPool(this.#pool)
    }
    if (address === undefined) return
    this.#listener = listen(address, { token, allowedOrigins })
    this.#listener.on('opened', (connection, hello) => this.#opened(connection, hello))
    this.#listener.on('control', (connection, json) => this.#control(connection, json))
    this.#listener.on('closed', (connection) => this.#orders.left(connection))
    // Of a pool that there is not: workers are refused, Adaptables are ours all the same.
    this.#listener.hostPool(acceptWorkers ? this.#pool : '')
  }

  /** Where a process of the manager's own connects, and with what. */
  forProcesses() {
    if (!this.#inner) throw new Error('the manager does not listen')
    return { connect: `http://${this.#inner.key}/`, token: this.#innerToken }
  }

  /** @returns {AdaptableInfo[]} */
  adaptables() {
    return this.#orders.machines()
  }

  /**
   * @param {string} id
   * @param {string} role
   * @param {object} [options]
   */
  assign(id, role, options) {
    return this.#orders.assign(id, role, options)
  }

  /** Tells a worker that it may go. @param {string} worker */
  dismiss(worker) {
    this.#orders.dismiss(worker)
  }

  close() {
    this.#closed = true
    this.#orders.close()
    this.#listener?.release()
    this.#inner?.release()
    this.#listener = undefined
    this.#inner = undefined
  }

  /**
   * @param {number} connection
   * @param {string} json what it said of itself
   */
  #opened(connection, json) {
    const hello = parsed(json)
    const listener = /** @type {Listener} */ (this.#listener)
    if (hello) this.#orders.came(hello, (order) => listener.control(connection, order), connection)
  }

  /**
   * @param {number} connection
   * @param {string} json
   */
  #control(connection, json) {
    const letter = parsed(json)
    if (letter) this.#orders.said(connection, letter)
  }
}

/**
 * @param {string} json from another process
 * @returns {Record<string, any> | undefined}
 */
function parsed(json) {
  try {
    const value = JSON.parse(json)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

module.exports = Reception
