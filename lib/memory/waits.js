'use strict'

// What a thread waits for in a memory of its process: locks, changes, and that what it has written is on
// disk. The addon calls once when there is something, and all of it is taken then.

const keepAlive = require('../core/keep-alive.js')
const { error } = require('./check.js')
const { versionOf, upperOf, lowerOf } = require('./version.js')

// What NativeMemory.drain gives, one after the other: a kind, and what belongs to it.
const GRANTED = 1
const CHANGES = 2
const KEPT = 3
const FAILED = 4
const LENGTHS = [Infinity, 4, 3, 2, 2]

/** @typedef {import('../../native/binding.cjs').NativeMemory} NativeMemory */

/**
 * @typedef {object} Wait
 * @property {Promise<any>} promise
 * @property {(result: any) => void} resolve
 * @property {(reason: unknown) => void} reject
 */

class Waits {
  #native
  #listening = false
  /** @type {Map<number, Wait>} by the number of the request */
  #locks = new Map()
  /** @type {Map<number, import('./watch.js').Sink>} */
  #sinks = new Map()
  /** @type {Map<number, Wait>} by ticket, in rising order */
  #tickets = new Map()

  /** @param {NativeMemory} memory */
  constructor(memory) {
    this.#native = memory
  }

  /**
   * @param {string} key
   * @param {number} lease
   * @param {boolean} turn
   * @param {AbortSignal} [signal]
   * @returns {Promise<string>}
   */
  lock(key, lease, turn, signal) {
    this.#listen()
    const id = this.#native.lock(key, lease, turn)
    const granted = this.#wait(this.#locks, id)
    if (signal !== undefined) this.#cancelable(id, granted, signal)
    // A lock that was free has been granted already.
    this.#drain()
    return granted
  }

  /**
   * @param {number} id
   * @param {Promise<unknown>} granted
   * @param {AbortSignal} signal
   */
  #cancelable(id, granted, signal) {
    const cancel = () => {
      // Also one that was granted meanwhile, and of which nobody has learnt yet.
      this.#native.cancelLock(id)
      this.#take(this.#locks, id)?.reject(signal.reason)
    }
    signal.addEventListener('abort', cancel, { once: true })
    const forget = () => signal.removeEventListener('abort', cancel)
    granted.then(forget, forget)
  }

  /**
   * @param {string} target
   * @param {boolean} prefix
   * @param {string} since
   * @param {boolean} from whether `since` counts
   * @param {import('./watch.js').Sink} sink
   */
  watch(target, prefix, since, from, sink) {
    this.#listen()
    const id = this.#native.watch(target, prefix, upperOf(since), lowerOf(since), from)
    this.#sinks.set(id, sink)
    return {
      close: () => {
        if (this.#sinks.delete(id)) this.#native.unwatch(id)
      },
      /** @param {boolean} paused */
      pause: (paused) => {
        this.#native.pauseWatch(id, paused)
        return true
      },
    }
  }

  /**
   * @param {number} ticket
   * @returns {Promise<void>} once it is on disk
   */
  ticket(ticket) {
    const known = this.#tickets.get(ticket)
    if (known !== undefined) return known.promise
    this.#listen()
    const kept = this.#wait(this.#tickets, ticket)
    this.#drain()
    return kept
  }

  /** @param {Error} reason */
  close(reason) {
    for (const waits of [this.#locks, this.#tickets]) {
      for (const key of waits.keys()) this.#take(waits, key)?.reject(reason)
    }
    for (const sink of this.#sinks.values()) sink.end()
    this.#sinks.clear()
  }

  /**
   * @param {Map<number, Wait>} waits
   * @param {number} key
   * @returns {Promise<any>}
   */
  #wait(waits, key) {
    keepAlive.hold()
    /** @type {Wait} */
    const wait = { promise: undefined, resolve: undefined, reject: undefined }
    wait.promise = new Promise((resolve, reject) => {
      wait.resolve = resolve
      wait.reject = reject
    })
    waits.set(key, wait)
    return wait.promise
  }

  /**
   * @param {Map<number, Wait>} waits
   * @param {number} key
   */
  #take(waits, key) {
    const wait = waits.get(key)
    if (wait === undefined) return undefined
    waits.delete(key)
    keepAlive.release()
    return wait
  }

  #listen() {
    if (this.#listening) return
    this.#listening = true
    this.#native.onWake(() => this.#drain())
  }

  #drain() {
    const mail = /** @type {any[]} */ (this.#native.drain())
    for (let at = 0; at < mail.length; at += LENGTHS[mail[at]]) {
      const kind = mail[at]
      const subject = mail[at + 1]
      if (kind === GRANTED) this.#granted(subject, versionOf(mail[at + 2], mail[at + 3]))
      else if (kind === CHANGES) this.#sinks.get(subject)?.push(mail[at + 2])
      else if (kind === KEPT) this.#kept(subject)
      else if (kind === FAILED) this.#failed(subject)
    }
  }

  /**
   * @param {number} id
   * @param {string} token
   */
  #granted(id, token) {
    this.#take(this.#locks, id)?.resolve(token)
  }

  /** @param {number} upTo a ticket */
  #kept(upTo) {
    for (const ticket of this.#tickets.keys()) {
      if (ticket > upTo) return
      this.#take(this.#tickets, ticket)?.resolve(undefined)
    }
  }

  /** @param {string} message */
  #failed(message) {
    for (const ticket of this.#tickets.keys()) {
      this.#take(this.#tickets, ticket)?.reject(
        error('ERR_NC_STORAGE', `storage failed: ${message}`),
      )
    }
  }
}

module.exports = Waits
