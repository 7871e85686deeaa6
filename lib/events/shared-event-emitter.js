'use strict'

const { KeepAlive } = require('../core/keep-alive')
const { NetworkClusterError } = require('../core/network-cluster-error')
const Listeners = require('./listeners.js')
const { checkListener, checkName, readOptions } = require('./options.js')
const Route = require('./route.js')

/** @typedef {import('./listeners.js').Listener} Listener */

/**
 * Emits events to listeners in all threads of this process, or in all processes that use the same
 * URL. Listeners are called asynchronously, those of the emitting thread too; what one emitter
 * emits arrives in order.
 *
 * The signatures for users, with defaults and errors, are in types/shared-event-emitter.d.ts.
 */
class SharedEventEmitterClass {
  #listeners = new Listeners()
  #alive = new KeepAlive()
  #ref = true
  #closed = false
  #missed = 0
  #route

  /**
   * @param {string | URL} [url]
   * @param {object} [options]
   */
  constructor(url, options) {
    const read = readOptions(options)
    this.#route = new Route(url, read, {
      event: (name, args) => {
        this.#listeners.call(name, args)
        this.#changed(name)
      },
      missed: (count) => {
        this.#missed += count
      },
    })
  }

  /** Settles once the emitter is connected; at once without a URL. */
  get ready() {
    return this.#route.ready
  }

  /**
   * @param {string} event
   * @param {Listener} listener
   */
  on(event, listener) {
    return this.#add(event, listener, false)
  }

  /**
   * @param {string} event
   * @param {Listener} listener
   */
  once(event, listener) {
    return this.#add(event, listener, true)
  }

  /**
   * @param {string} event
   * @param {Listener} listener
   */
  off(event, listener) {
    checkName(event)
    checkListener(listener)
    this.#listeners.remove(event, listener)
    this.#changed(event)
    return this
  }

  /**
   * @param {string} event
   * @param {...unknown} args
   * @returns {boolean} whether it was accepted for delivery
   */
  emit(event, ...args) {
    this.#check(event)
    return this.#route.backend.emit(event, args)
  }

  /**
   * @param {string} event
   * @param {...unknown} args
   * @returns {Promise<number>} how many emitters (one per thread or process) have got it
   */
  async emitAsync(event, ...args) {
    this.#check(event)
    return this.#route.backend.emitAndCount(event, args)
  }

  /** @param {string} event */
  listenerCount(event) {
    return this.#listeners.count(checkName(event))
  }

  /** Has the thread run on while there are listeners; this is the default. */
  ref() {
    this.#ref = true
    this.#keepAlive()
    return this
  }

  /** Lets the thread end although there are listeners. */
  unref() {
    this.#ref = false
    this.#keepAlive()
    return this
  }

  /** @returns {Promise<import('./route.js').EmitterStats>} */
  async stats() {
    if (this.#closed) throw closed()
    const stats = await this.#route.backend.stats()
    return { ...stats, missed: this.#missed }
  }

  async close() {
    if (this.#closed) return
    this.#closed = true
    this.#listeners.clear()
    this.#keepAlive()
    await this.#route.close()
  }

  /**
   * @param {string} event
   * @param {Listener} listener
   * @param {boolean} once
   */
  #add(event, listener, once) {
    this.#check(event)
    checkListener(listener)
    if (this.#listeners.count(event) === 0 && !this.#route.backend.subscribe(event)) {
      throw new NetworkClusterError('ERR_NC_QUEUE_FULL', 'this emitter listens to too many events')
    }
    this.#listeners.add(event, listener, once)
    this.#keepAlive()
    return this
  }

  /** @param {string} event */
  #check(event) {
    if (this.#closed) throw closed()
    checkName(event)
  }

  /**
   * Stops getting an event that nobody listens to any more.
   * @param {string} event
   */
  #changed(event) {
    if (this.#closed || this.#listeners.count(event) > 0) return
    this.#route.backend.unsubscribe(event)
    this.#keepAlive()
  }

  #keepAlive() {
    this.#alive.set(this.#ref && !this.#closed && this.#listeners.size > 0)
  }
}

if (Symbol.asyncDispose !== undefined) {
  Object.defineProperty(SharedEventEmitterClass.prototype, Symbol.asyncDispose, {
    /** @this {SharedEventEmitterClass} */
    value() {
      return this.close()
    },
    configurable: true,
    writable: true,
  })
}

function closed() {
  return new NetworkClusterError('ERR_NC_CLOSED', 'this emitter is closed')
}

module.exports = SharedEventEmitterClass
