'use strict'

// The machine that holds a memory for other processes.

const { listen } = require('../link/hosts')
const { parse } = require('../link/url')
const Machine = require('./machine')
const { check, text, token, url } = require('./options')

/** @typedef {import('../../types/machines').DataOptions} DataOptions */

const RULES = { listen: { ...url, fallback: 'http://127.0.0.1:0/' }, persist: text, token }

class Data extends Machine {
  #options
  #name
  /** @type {InstanceType<typeof import('../link/machine').Machine> | undefined} */
  #listener
  /** @type {any} */
  #memory

  /** @param {DataOptions} [options] see docs/api/Data.md */
  constructor(options) {
    super('data', { keepsAlive: true })
    this.#options = check('Data', options, RULES)
    this.#name = parse(this.#options.listen, { anyPort: true }).name
  }

  /** What to give to SharedMemory, once started; the port is the real one. */
  get url() {
    return this.#listener && `http://${this.#listener.key}/${encodeURIComponent(this.#name)}`
  }

  /** The memory, once started. */
  get memory() {
    return this.#memory
  }

  /** @protected */
  async _start() {
    const { SharedMemoryClass } = require('../memory/shared-memory')
    const { listen: address, persist, token } = this.#options
    // Nobody is let in before the memory is there: it is stored from the start, or not at all.
    this.#listener = listen(address, { token, held: true })
    const durable = persist === undefined ? undefined : { directory: persist }
    this.#memory = new SharedMemoryClass(this.url, { token, ...(durable && { durable }) })
    await this.#memory.ready
  }

  /** @protected */
  async _close() {
    await this.#memory?.close()
    this.#listener?.release()
    this.#listener = undefined
    this.#memory = undefined
  }
}

module.exports = { Data }
