'use strict'

// The machine that connects to a manager, which tells it what to be.

const { Client } = require('../link/client')
const { KINDS, Reader, Writer } = require('../link/frames')
const { parse } = require('../link/url')
const Machine = require('./machine')
const {
  ROLES,
  check,
  invalid,
  isObject,
  listOf,
  needs,
  oneOf,
  shown,
  token,
  url,
  integer,
} = require('./options')
const { connected, functions, Worker } = require('./worker')

/** @typedef {import('../../types/machines').AdaptableOptions} AdaptableOptions */
/** @typedef {import('../../types/machines').Role} Role */

const TAKEN = ROLES.filter((role) => role !== 'adaptable')

const RULES = {
  connect: url,
  roles: listOf(oneOf(TAKEN), TAKEN),
  token,
  functions,
  connectTimeout: integer(1, 2 ** 31 - 1, 5000),
}

class Adaptable extends Machine {
  #options
  #address
  /** @type {InstanceType<typeof Client> | undefined} */
  #client
  /** @type {Machine | undefined} what it is besides */
  #part
  /** @type {Promise<void>} changes of the role, one behind the other */
  #changing = Promise.resolve()

  /** @param {AdaptableOptions} options see docs/api/Adaptable.md */
  constructor(options) {
    super('adaptable', { keepsAlive: true })
    this.#options = check('Adaptable', options, RULES)
    needs('Adaptable', this.#options, ['connect'])
    this.#address = parse(this.#options.connect)
  }

  /** The machine it is now, unless it is none: a Worker, Data, EventEmitter or Proxy. */
  get machine() {
    return this.#part
  }

  stats() {
    return { ...(this.#part ? this.#part.stats() : super.stats()), role: this.role }
  }

  /** @protected */
  async _start() {
    const { token, roles, connectTimeout } = this.#options
    const worker = { id: this.id, kind: 'adaptable', roles, role: 'adaptable' }
    const client = new Client(this.#address, { role: 'control', token, worker, connectTimeout })
    this.#client = client
    client.onPush(KINDS.CONTROL, (_id, body) => this.#told(new Reader(body).str()))
    client.on('up', () => this.#tell({ type: 'role', role: this.role }))
    await connected(client, connectTimeout)
    client.on('closed', (error) => this.#lost(error))
  }

  /** @param {Error | undefined} reason */
  #lost(reason) {
    if (this._isClosing || reason === undefined) return
    this._report(reason)
    this.close({ force: true }).catch(() => {})
  }

  /** @param {object} letter */
  #tell(letter) {
    this.#client?.send(KINDS.CONTROL, 0, new Writer().str(JSON.stringify(letter)).finish())
  }

  /** @param {string} json an order of the manager */
  async #told(json) {
    const letter = JSON.parse(json)
    if (letter?.type !== 'assign') return
    const { order, role, options } = letter
    try {
      await this.assign(role, options)
      this.#tell({ type: 'assigned', order, role: this.role })
    } catch (error) {
      const { code, message } = /** @type {any} */ (error)
      this.#tell({ type: 'assigned', order, role: this.role, error: { code, message } })
    }
  }

  /**
   * Takes a role, when the one before has been drained. 'adaptable' means none.
   *
   * @param {Role} role
   * @param {Record<string, unknown>} [options] of that machine, but for `token`, `functions` and `persist`
   * @returns {Promise<void>}
   */
  assign(role, options = {}) {
    const change = this.#changing.then(() => this.#change(role, options))
    this.#changing = change.catch(() => {})
    return change
  }

  /**
   * @param {Role} role
   * @param {Record<string, unknown>} options
   */
  async #change(role, options) {
    this._assertOpen()
    if (role !== 'adaptable' && !this.#options.roles.includes(role)) {
      throw invalid(
        `assign(): the role must be one of ${this.#options.roles.join(', ')}, not ${shown(role)}`,
      )
    }
    if (!isObject(options)) throw invalid('assign(): the options must be an object')
    const next = role === 'adaptable' ? undefined : this.#make(role, options)
    const before = this.#part
    this.#part = undefined
    await before?.close()
    if (!next) return this._become('adaptable')
    try {
      await next.start()
    } catch (error) {
      this._become('adaptable')
      throw error
    }
    if (this._isClosing) return next.close({ force: true })
    this.#part = next
    return this._become(role)
  }

  /**
   * @param {Role} role
   * @param {Record<string, unknown>} options
   * @returns {Machine}
   */
  #make(role, options) {
    const { connect, token, functions } = this.#options
    // An order says where to listen; it neither learns the secret nor chooses a place on the disk.
    if ('persist' in options) throw invalid('assign(): persist cannot be told from outside')
    if (role === 'worker') {
      return new Worker({ connect, token, functions, ...options }, { kind: 'adaptable' })
    }
    if (role === 'data') return new (require('./data').Data)({ token, ...options })
    if (role === 'events') return new (require('./events').EventEmitter)({ token, ...options })
    return new (require('./proxy').Proxy)(/** @type {any} */ (options))
  }

  /** @protected */
  async _drain() {
    await this.#part?.drain()
  }

  /** @protected */
  async _close() {
    this.#client?.close()
    await this.#part?.close({ force: true })
    this.#part = undefined
  }
}

module.exports = { Adaptable }
