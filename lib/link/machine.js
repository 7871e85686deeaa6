'use strict'

// A listener of this process as one thread sees it.

const { EventEmitter } = require('node:events')
const { NetworkClusterError } = require('../core/network-cluster-error.js')
const native = require('../core/native.js')
const { Writer } = require('./frames.js')

/** What `drain` gives: see NativeMachine. */
const RUN = 1
const CONTROL = 2
const OPENED = 3
const CLOSED = 4

/** @typedef {import('./url.js').Address} Address */

/**
 * @typedef {object} MachineOptions
 * @property {string} [token] who connects must know it; without one everybody on this machine may
 * @property {readonly string[]} [allowedOrigins] of web pages whose workers may connect; needs a token
 */

/**
 * @typedef {object} Run a function to be run on a key, asked for by another process
 * @property {string} memory process-wide name of the memory
 * @property {string} key
 * @property {string} json `{ hash, source }`
 * @property {Buffer} args a value: `tag u8 | length u32 | bytes`
 */

/** @typedef {(run: Run) => Promise<Uint8Array>} RunHandler gives the result as such a value */

/** @type {RunHandler | null} */
let runHandler = null

/**
 * Says who runs functions on keys for other processes, in this thread.
 * @param {RunHandler} handler
 */
function onRun(handler) {
  runHandler = handler
}

/** @type {Map<string, Machine>} the machines this thread uses, by address */
const machines = new Map()

/**
 * A listener of this process; other threads may share it. It never keeps the process alive.
 *
 * Events: 'opened' (connection, hello as JSON text) of workers and control connections, 'control'
 * (connection, JSON text), 'closed' (connection).
 */
class Machine extends EventEmitter {
  #native
  #users = 0
  #key

  /**
   * @param {import('../../native/binding.cjs').NativeMachine} machine
   * @param {string} key
   */
  constructor(machine, key) {
    super()
    this.#native = machine
    this.#key = key
  }

  /** The port it listens on. */
  get port() {
    return this.#native.port
  }

  /** `host:port`. */
  get key() {
    return this.#key
  }

  /** One more who needs it, until `release`. */
  retain() {
    this.#users += 1
    return this
  }

  /** From now on who connects is let in, if that was held back. */
  letIn() {
    this.#native.letIn()
  }

  /** One less who needs it: with the last of the process, the listener and its connections end. */
  release() {
    this.#users -= 1
    if (this.#users > 0) return
    if (machines.get(this.#key) === this) machines.delete(this.#key)
    this.#native.close()
  }

  /**
   * Workers that connect serve this pool, and control connections talk to this thread.
   * @param {string} pool
   */
  hostPool(pool) {
    this.#native.hostPool(pool)
  }

  /**
   * @param {number} connection
   * @param {string} json
   * @returns {boolean} false: there was no room, and the connection ends
   */
  control(connection, json) {
    return this.#native.control(connection, json)
  }

  /** What other processes want of JavaScript. */
  drain() {
    for (const letter of this.#native.drain()) {
      const [kind, connection] = letter
      if (kind === RUN) void this.#run(letter)
      else if (kind === CONTROL) this.emit('control', connection, letter[2])
      else if (kind === OPENED) this.emit('opened', connection, letter[2])
      else if (kind === CLOSED) this.emit('closed', connection)
    }
  }

  /** @param {unknown[]} letter */
  async #run(letter) {
    const [, connection, id, memory, key, json, args] =
      /** @type {[number, number, number, string, string, string, Buffer]} */ (letter)
    try {
      if (runHandler === null) throw new NetworkClusterError('ERR_NC_CODE_REFUSED', 'no handler')
      const result = await runHandler({ memory, key, json, args })
      this.#native.answer(connection, id, true, result)
    } catch (error) {
      this.#native.answer(connection, id, false, errorBody(error))
    }
  }
}

/**
 * What an error is on the wire.
 * @param {unknown} error
 */
function errorBody(error) {
  const { code, message } = /** @type {{ code?: unknown, message?: unknown }} */ (
    error instanceof Error ? error : { message: error }
  )
  return new Writer()
    .str(typeof code === 'string' ? code : 'ERR_NC_TASK_FAILED')
    .str(String(message))
    .finish()
}

/**
 * Listens, or shares the listener that this process has there already. To be released.
 * @param {Pick<Address, 'host' | 'port' | 'key'>} address port 0: any
 * @param {MachineOptions & { existing?: boolean, held?: boolean }} options `existing`: never opens one;
 *   `held`: if it is new, nobody is let in before `letIn` is called
 * @returns {Machine | null} null: somebody else listens there (`existing`: not this process)
 * @throws {NetworkClusterError} ERR_NC_CONNECT
 */
function open(address, { token, allowedOrigins, existing = false, held = false }) {
  const known = machines.get(address.key)
  /** @type {Machine | undefined} */
  let machine
  const wake = () => machine?.drain()
  const options = { token, allowedOrigins: [...(allowedOrigins ?? [])], existing, held }
  const listener = native.NativeMachine.listen(address.host, address.port, options, wake)
  if (typeof listener === 'string') return refusal(address, listener)
  if (known !== undefined) {
    // Its token has been compared; one handle per thread is enough.
    listener.close()
    return known.retain()
  }
  const key = address.key.replace(/:0$/, `:${listener.port}`)
  machine = new Machine(listener, key)
  machines.set(key, machine)
  return machine.retain()
}

/**
 * @param {{ key: string }} address
 * @param {string} code of the system, or TOKEN
 */
function refusal(address, code) {
  if (code === 'EADDRINUSE' || code === 'NONE') return null
  const reason = code === 'TOKEN' ? 'this process listens there with another token' : code
  throw new NetworkClusterError('ERR_NC_CONNECT', `cannot listen on ${address.key}: ${reason}`)
}

module.exports = { Machine, open, onRun }
