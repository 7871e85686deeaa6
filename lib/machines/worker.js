'use strict'

// The machine that connects to a manager and works for it.

const { NetworkClusterError } = require('../core/network-cluster-error')
const { Client } = require('../link/client')
const { KINDS, Reader, Writer } = require('../link/frames')
const { parse } = require('../link/url')
const Machine = require('./machine')
const { NAME, check, invalid, isObject, needs, integer, oneOf, token, url } = require('./options')

/** @typedef {import('../../types/machines').WorkerOptions} WorkerOptions */

/** @type {import('./options').Rule} */
const functions = {
  holds: (value) =>
    isObject(value) &&
    Object.entries(value).every(([name, fn]) => NAME.test(name) && typeof fn === 'function'),
  expected: 'an object with functions, by names of letters, digits and _$.:@/-',
  fallback: {},
}

const RULES = {
  connect: url,
  concurrency: integer(1, 4096, 1),
  token,
  functions,
  acceptCode: oneOf(['source', 'registered-only']),
  connectTimeout: integer(1, 2 ** 31 - 1, 5000),
}

class Worker extends Machine {
  #options
  #address
  #kind
  /** @type {InstanceType<typeof Client> | undefined} */
  #client
  /** @type {import('../compute/link-port') | undefined} */
  #port
  /** @type {InstanceType<typeof import('../compute/worker-loop').WorkerLoop> | undefined} */
  #loop
  /** @type {(() => void) | undefined} */
  #dismissed

  /**
   * @param {WorkerOptions} options see docs/api/Worker.md
   * @param {{ id?: string, kind?: 'process' | 'adaptable' }} [as] what a manager knows it as
   */
  constructor(options, { id, kind = 'process' } = {}) {
    super('worker', { keepsAlive: true, id })
    this.#options = check('Worker', options, RULES)
    needs('Worker', this.#options, ['connect'])
    this.#options.acceptCode ??= this.#options.token === undefined ? 'registered-only' : 'source'
    if (this.#options.acceptCode === 'source' && this.#options.token === undefined) {
      throw invalid(
        "Worker: acceptCode 'source' needs a token, since functions run with all rights",
      )
    }
    this.#address = parse(this.#options.connect)
    this.#kind = kind
  }

  stats() {
    const own = this.#port?.stats()
    if (own === undefined) return super.stats()
    const workers = this.#client?.connected ? 1 : 0
    return { ...super.stats(), workers, idle: own.active === 0 ? workers : 0, ...own }
  }

  /** @protected */
  async _start() {
    const { connectTimeout, token } = this.#options
    const worker = this.#said()
    const client = new Client(this.#address, { role: 'worker', token, worker, connectTimeout })
    this.#client = client
    this.#work(client)
    client.on('down', (error) => this.emit('down', error))
    client.onPush(KINDS.CONTROL, (_id, body) => this.#told(body))
    await connected(client, connectTimeout)
    client.on('closed', (error) => this.#lost(error))
  }

  /** What the worker says of itself. */
  #said() {
    const { concurrency, functions, acceptCode } = this.#options
    return {
      id: this.id,
      concurrency,
      code: acceptCode === 'source',
      encodings: ['json', 'numbers', 'structured'],
      functions: Object.keys(functions),
      kind: this.#kind,
    }
  }

  /** @param {InstanceType<typeof Client>} client */
  #work(client) {
    const LinkPort = require('../compute/link-port')
    const { WorkerLoop } = require('../compute/worker-loop')
    const LocalFunctions = require('../compute/local-functions')
    const { acceptCode, concurrency, functions } = this.#options
    const port = new LinkPort(client, acceptCode === 'source', () => this.#loop?.wake())
    this.#port = port
    this.#loop = new WorkerLoop(port, {
      id: this.id,
      slots: concurrency,
      functions: new LocalFunctions(functions),
      openScope: (described) => require('../memory').openScope(described, client),
    })
  }

  /** @param {Error | undefined} reason */
  #lost(reason) {
    if (this._isClosing || reason === undefined) return
    this._report(reason)
    this.close({ force: true }).catch(() => {})
  }

  /** @param {Uint8Array} body */
  #told(body) {
    const letter = JSON.parse(new Reader(body).str())
    if (letter?.type === 'dismissed') this.#dismissed?.()
  }

  /** Lets the manager know, and finishes what it still sends. @protected */
  async _drain() {
    const client = this.#client
    if (!client?.connected) return
    await new Promise((resolve) => {
      this.#dismissed = () => resolve(undefined)
      client.once('down', resolve)
      client.once('closed', resolve)
      client.send(KINDS.CONTROL, 0, new Writer().str(JSON.stringify({ type: 'leaving' })).finish())
    })
    await this.#port?.idle()
  }

  /** @protected */
  async _close() {
    this.#loop?.close()
    this.#client?.close()
  }
}

/**
 * Resolves when the other side has let this one in.
 *
 * @param {InstanceType<typeof Client>} client
 * @param {number} timeout ms
 * @returns {Promise<void>}
 */
function connected(client, timeout) {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(client.unreachable()), timeout)
    client.once('up', () => {
      clearTimeout(late)
      resolve()
    })
    client.once('closed', (error) => {
      clearTimeout(late)
      reject(error ?? new NetworkClusterError('ERR_NC_CLOSED', 'closed before it was connected'))
    })
  })
}

module.exports = { Worker, connected, functions }
