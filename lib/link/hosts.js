'use strict'

// Who serves an address: this process, or another one that a client connects to.

const { EventEmitter } = require('node:events')
const { NetworkClusterError } = require('../core/network-cluster-error.js')
const { Client } = require('./client.js')
const { open, onRun } = require('./machine.js')
const { parse } = require('./url.js')
const keepAlive = require('../core/keep-alive.js')

const DEFAULT_CONNECT_TIMEOUT = 5000

/**
 * @typedef {object} JoinOptions
 * @property {'data' | 'events'} [role] 'data' unless told
 * @property {'auto' | 'never'} [host] 'auto' (default): serve the address if nobody does; 'never':
 *   only connect
 * @property {number} [connectTimeout] ms until ERR_NC_CONNECT; 5000 unless told
 * @property {string} [token] what who serves has to know, and who connects; it is not sent
 * @property {readonly string[]} [allowedOrigins] of web pages, if this process serves
 * @property {{ maxQueue: number, overflow: number }} [queue] how another process that serves is to
 *   queue events for this one
 * @property {(memoryName: string) => Prepared | undefined} [prepare] called when this process begins to
 *   serve, before anybody is let in. If it throws, the process does not serve: `join` throws the same,
 *   and who was to take over goes on trying to connect. If it takes time, so does that: `ready` rejects
 */

/**
 * @typedef {object} Prepared something that is under way
 * @property {Promise<unknown>} opened
 * @property {() => unknown} close ends it
 */

/**
 * An address that this process serves or is connected to. If who serves it ends, this process may
 * take over: `local` changes from false to true, never back.
 *
 * Events: 'change' when this process has taken over; 'up' and 'down' (error) of the connection,
 * also after it was lost.
 */
class Joined extends EventEmitter {
  /** @type {InstanceType<typeof import('./machine.js').Machine> | null} if this process serves */
  machine = null
  /** @type {InstanceType<typeof Client> | null} if another process serves */
  client = null
  #ready
  #awaited = false
  #closed = false
  /** @type {Prepared | undefined} */
  #prepared
  #address
  #options

  /**
   * @param {import('./url.js').Address} address
   * @param {JoinOptions} options
   */
  constructor(address, options) {
    super()
    this.#address = address
    this.#options = options
    this.#ready = this.#host() ?? this.#connect()
    // Who does not wait for it learns of it with the first operation.
    this.#ready.catch(() => {})
  }

  /** Whether this process serves the address. */
  get local() {
    return this.machine !== null
  }

  /** Name of the memory in the process that serves it. */
  get memoryName() {
    return `${this.#address.key}/${this.#address.name}`
  }

  /** Settled once it is known who serves; rejects with ERR_NC_CONNECT. Keeps the process alive. */
  get ready() {
    if (!this.#awaited) {
      this.#awaited = true
      keepAlive.hold()
      this.#ready.finally(keepAlive.release).catch(() => {})
    }
    return this.#ready
  }

  /** Leaves, at once. May be called again. Resolves once what was being prepared has ended. */
  async close() {
    if (this.#closed) return
    this.#closed = true
    this.client?.close()
    const ended = this.#prepared?.close()
    this.machine?.release()
    await ended
  }

  /** @returns {Promise<void> | null} null if another process serves, else when anybody is let in */
  #host() {
    const { token, allowedOrigins, host = 'auto', prepare } = this.#options
    const how = { token, allowedOrigins, existing: host === 'never', held: prepare !== undefined }
    const machine = open(this.#address, how)
    if (machine === null) return null
    try {
      this.#prepared = prepare?.(this.memoryName)
    } catch (error) {
      machine.release()
      throw error
    }
    this.machine = machine
    if (this.#prepared !== undefined) return this.#letInAfter(this.#prepared, machine)
    machine.letIn()
    return Promise.resolve()
  }

  /**
   * @param {Prepared} prepared
   * @param {InstanceType<typeof import('./machine.js').Machine>} machine
   */
  async #letInAfter(prepared, machine) {
    try {
      await prepared.opened
    } catch (error) {
      if (!this.#closed) {
        this.machine = null
        machine.release()
      }
      throw error
    }
    if (!this.#closed) machine.letIn()
  }

  /** @returns {Promise<void>} */
  #connect() {
    const { role = 'data', token, queue } = this.#options
    const { connectTimeout = DEFAULT_CONNECT_TIMEOUT } = this.#options
    const takeOver = () => this.#takeOver()
    const client = new Client(this.#address, { role, token, queue, connectTimeout, takeOver })
    this.client = client
    client.on('down', (error) => this.emit('down', error))
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(client.unreachable()), connectTimeout)
      late.unref()
      client.on('up', (greeting) => {
        clearTimeout(late)
        resolve()
        this.emit('up', greeting)
      })
      client.on('moved', () => {
        resolve()
        this.emit('change')
      })
      client.on('closed', (error) => {
        clearTimeout(late)
        reject(error ?? new NetworkClusterError('ERR_NC_CLOSED', 'closed before it was ready'))
      })
    })
  }

  /**
   * The owner is gone, or was never there.
   * @returns {boolean | Promise<boolean>}
   * @throws {NetworkClusterError} why this process cannot take over, although nobody else has so far
   */
  #takeOver() {
    const hosting = this.#host()
    if (hosting === null) return false
    const taken = () => {
      this.client = null
      return true
    }
    return this.#prepared === undefined ? taken() : hosting.then(taken)
  }
}

/**
 * Serves an address or connects to who does. At once: whether it can be reached is `ready`.
 * @param {string | URL} url
 * @param {JoinOptions} [options]
 * @returns {Joined}
 * @throws {NetworkClusterError} ERR_NC_INVALID_URL, ERR_NC_INVALID_ARG, ERR_NC_CONNECT
 */
function join(url, options = {}) {
  const address = parse(url)
  check(options)
  return new Joined(address, options)
}

/**
 * Serves an address for good: a machine that workers and others connect to. To be released.
 * @param {string | URL} url port 0: any
 * @param {import('./machine.js').MachineOptions & { held?: boolean }} [options] `held`: nobody is let in
 *   before the machine's `letIn` is called, or somebody else uses it here
 * @returns {InstanceType<typeof import('./machine.js').Machine>}
 * @throws {NetworkClusterError} ERR_NC_INVALID_URL, ERR_NC_INVALID_ARG, ERR_NC_CONNECT if another
 *   process listens there
 */
function listen(url, options = {}) {
  const address = parse(url, { anyPort: true })
  check(options)
  const machine = open(address, options)
  if (machine !== null) return machine
  throw new NetworkClusterError('ERR_NC_CONNECT', `${address.key} is in use by another process`)
}

/** @param {JoinOptions} options */
function check({ host = 'auto', connectTimeout = 1, token = '-', allowedOrigins = [] }) {
  if (host !== 'auto' && host !== 'never') throw bad("host must be 'auto' or 'never'")
  if (!(connectTimeout > 0 && connectTimeout <= 2 ** 31 - 1)) {
    throw bad('connectTimeout must be a number of ms above 0')
  }
  if (typeof token !== 'string' || token === '' || token.length > 1024) {
    throw bad('token must be a string of 1 to 1024 characters')
  }
  const texts = Array.isArray(allowedOrigins) && allowedOrigins.every((o) => typeof o === 'string')
  if (!texts) throw bad('allowedOrigins must be an array of strings')
}

/** @param {string} message */
function bad(message) {
  return new NetworkClusterError('ERR_NC_INVALID_ARG', message)
}

module.exports = { join, listen, onRun, Joined }
