'use strict'

// What all machines have: an id, a role, a life from start() to close(), and events.

const { randomUUID } = require('node:crypto')
const { EventEmitter } = require('node:events')
const { NetworkClusterError } = require('../core/network-cluster-error')
const { check, boolean, integer } = require('./options')

/** @typedef {import('../../types/machines').Role} Role */
/** @typedef {import('../../types/machines').MachineStats} MachineStats */
/** @typedef {{ force: boolean, timeout: number }} CloseOptions */

/** How long close() waits for what was accepted, unless told, in ms. */
const CLOSE_TIMEOUT = 30_000

const CLOSE_RULES = { force: boolean(false), timeout: integer(0, 2 ** 31 - 1, CLOSE_TIMEOUT) }

/** @type {Omit<MachineStats, 'role'>} */
const NOTHING = {
  workers: 0,
  idle: 0,
  pending: 0,
  active: 0,
  completed: 0,
  failed: 0,
  retried: 0,
  queueHighWater: 0,
  p50Ms: 0,
  p99Ms: 0,
}

class Machine extends EventEmitter {
  #role
  /** @type {'new' | 'started' | 'draining' | 'closing' | 'closed'} */
  #state = 'new'
  /** @type {Promise<this> | undefined} */
  #starting
  /** @type {Promise<void> | undefined} */
  #draining
  /** @type {Promise<void> | undefined} */
  #closing
  /** @type {((value: 'forced') => void) | undefined} ends the waiting of a close() under way */
  #force
  #keepsAlive
  /** @type {NodeJS.Timeout | undefined} */
  #alive

  /**
   * @param {Role} role
   * @param {{ keepsAlive?: boolean, id?: string }} [options] `keepsAlive`: the process stays while the
   *   machine runs; `id`: one of its own unless told
   */
  constructor(role, { keepsAlive = false, id = randomUUID() } = {}) {
    super()
    this.#role = role
    this.#keepsAlive = keepsAlive
    /** @readonly */
    this.id = id
  }

  /** @returns {Role} */
  get role() {
    return this.#role
  }

  /** Takes another role and says so. @protected @param {Role} role */
  _become(role) {
    if (role === this.#role) return
    this.#role = role
    this.emit('role', { id: this.id, role })
  }

  /** Whether the machine was closed or is about to be. @protected */
  get _isClosing() {
    return this.#state === 'closing' || this.#state === 'closed'
  }

  /** Why the machine takes nothing new any more, if so. @protected */
  get _refusal() {
    if (this.#state === 'new' || this.#state === 'started') return undefined
    const what = this.#state === 'draining' ? 'takes nothing new: it is draining' : 'is closed'
    return new NetworkClusterError('ERR_NC_CLOSED', `the ${this.#role} machine ${what}`)
  }

  /** @protected @throws {NetworkClusterError} see `_refusal` */
  _assertOpen() {
    if (this._refusal) throw this._refusal
  }

  /**
   * Makes the machine ready for work. Again: the same promise.
   * @returns {Promise<this>}
   */
  start() {
    this.#starting ??= this.#run()
    return this.#starting
  }

  async #run() {
    this._assertOpen()
    this.#state = 'started'
    if (this.#keepsAlive) this.#alive = setInterval(() => {}, 2 ** 30)
    try {
      await this._start()
    } catch (error) {
      this.close({ force: true }).catch(() => {})
      throw error
    }
    return this
  }

  /**
   * What the machine did and has to do.
   * @returns {MachineStats}
   */
  stats() {
    return { role: this.#role, ...NOTHING }
  }

  /**
   * Takes nothing new and resolves when what was accepted is done. After that there is only close().
   * @returns {Promise<void>}
   */
  drain() {
    if (this._isClosing) return this.#closing
    if (!this.#draining) {
      const started = this.#starting
      this.#state = 'draining'
      this.#draining = started ? started.then(() => this._drain()) : this._drain()
    }
    return this.#draining
  }

  /**
   * Drains, for at most `timeout` ms, and lets go of everything. Again: the same promise; with `force`
   * it stops waiting for one under way.
   *
   * @param {{ force?: boolean, timeout?: number }} [options] `force`: what waits or runs is given up
   *   (ERR_NC_CLOSED); `timeout`: by default 30 s
   * @returns {Promise<void>}
   */
  close(options) {
    let checked
    try {
      checked = check(`${this.#role} close()`, options, CLOSE_RULES)
    } catch (error) {
      return Promise.reject(error)
    }
    this.#closing ??= this.#end(checked)
    if (checked.force) this.#force?.('forced')
    return this.#closing
  }

  /** @param {CloseOptions} options */
  async #end({ force, timeout }) {
    if (!force && this.#starting) await this.#wait(timeout)
    this.#state = 'closing'
    try {
      await this._close()
    } finally {
      this.#state = 'closed'
      clearInterval(this.#alive)
    }
  }

  /** @param {number} timeout */
  async #wait(timeout) {
    /** @type {NodeJS.Timeout | undefined} */
    let timer
    const given = new Promise((resolve) => {
      this.#force = resolve
      timer = setTimeout(resolve, timeout)
    })
    await Promise.race([given, this.drain().catch(() => {})])
    clearTimeout(timer)
  }

  /** @protected @returns {Promise<void>} */
  async _start() {}

  /** @protected @returns {Promise<void>} */
  async _drain() {}

  /** Lets go of everything at once. @protected @returns {Promise<void>} */
  async _close() {}

  /**
   * Something went wrong that no call can tell. Without a listener it becomes a warning: a machine must
   * not end the process because a worker did.
   *
   * @protected
   * @param {Error} error
   */
  _report(error) {
    if (this.listenerCount('error') > 0) this.emit('error', error)
    else process.emitWarning(error)
  }
}

// Before it has a name of its own in a Node.js, `await using` cannot be used there either.
if (Symbol.asyncDispose) {
  Object.defineProperty(Machine.prototype, Symbol.asyncDispose, {
    value() {
      return this.close()
    },
    configurable: true,
    writable: true,
  })
}

module.exports = Machine
