'use strict'

// The machine that passes events on between processes.

const { listen } = require('../link/hosts')
const { parse } = require('../link/url')
const Machine = require('./machine')
const { check, token, url } = require('./options')

/** @typedef {import('../../types/machines').EventEmitterOptions} EventEmitterOptions */

const RULES = { listen: { ...url, fallback: 'http://127.0.0.1:0/' }, token }

class EventEmitter extends Machine {
  #options
  #name
  /** @type {InstanceType<typeof import('../link/machine').Machine> | undefined} */
  #listener
  /** @type {any} */
  #emitter

  /** @param {EventEmitterOptions} [options] see docs/api/machines.md */
  constructor(options) {
    super('events', { keepsAlive: true })
    this.#options = check('EventEmitter', options, RULES)
    this.#name = parse(this.#options.listen, { anyPort: true }).name
  }

  /** What to give to SharedEventEmitter, once started; the port is the real one. */
  get url() {
    return this.#listener && `http://${this.#listener.key}/${encodeURIComponent(this.#name)}`
  }

  /** The emitter, once started. */
  get emitter() {
    return this.#emitter
  }

  /** @protected */
  async _start() {
    const SharedEventEmitterClass = require('../events/shared-event-emitter')
    const { listen: address, token } = this.#options
    this.#listener = listen(address, { token })
    this.#emitter = new SharedEventEmitterClass(this.url, { token })
    await this.#emitter.ready
  }

  /** @protected */
  async _close() {
    await this.#emitter?.close()
    this.#listener?.release()
    this.#listener = undefined
    this.#emitter = undefined
  }
}

module.exports = { EventEmitter }
