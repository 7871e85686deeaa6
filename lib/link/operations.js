'use strict'

// What was asked of the other side and is not answered yet.

const { NetworkClusterError } = require('../core/network-cluster-error.js')
const keepAlive = require('./keep-alive.js')

/** Most operations that wait for a connection, and their bytes. */
const MAX_WAITING = 10_000
const MAX_WAITING_BYTES = 64 * 1024 * 1024
/** Most operations that wait for an answer. */
const MAX_PENDING = 1_000_000

/**
 * @typedef {object} Operation
 * @property {(body: Uint8Array) => void} resolve
 * @property {(error: unknown) => void} reject
 * @property {Uint8Array | null} frame to be sent yet; null once it has been
 * @property {number} expires when it has waited for a connection long enough, by performance.now()
 */

/** Each is in it from `add` until its answer, and keeps the process alive as long. */
class Operations {
  /** @type {Map<number, Operation>} in the order in which they were asked */
  #all = new Map()
  #lastId = 0
  #waiting = 0
  #waitingBytes = 0

  get size() {
    return this.#all.size
  }

  get waiting() {
    return this.#waiting
  }

  /** A number for the next operation: not 0, and of none that is under way. */
  nextId() {
    do {
      this.#lastId = this.#lastId === 0xffffffff ? 1 : this.#lastId + 1
    } while (this.#all.has(this.#lastId))
    return this.#lastId
  }

  /**
   * @param {number} id
   * @param {Operation} operation
   * @throws {NetworkClusterError} ERR_NC_QUEUE_FULL
   */
  add(id, operation) {
    if (this.#all.size >= MAX_PENDING) throw full(`${MAX_PENDING} operations are under way`)
    if (operation.frame !== null) this.#addWaiting(operation.frame)
    this.#all.set(id, operation)
    keepAlive.hold()
  }

  /**
   * Takes an operation out.
   * @param {number} id
   * @returns {Operation | undefined}
   */
  take(id) {
    const operation = this.#all.get(id)
    if (operation === undefined) return undefined
    this.#all.delete(id)
    if (operation.frame !== null) this.#removeWaiting(operation.frame)
    keepAlive.release()
    return operation
  }

  /**
   * Sends what waits, in order.
   * @param {(frame: Uint8Array) => void} send
   */
  flush(send) {
    for (const operation of this.#all.values()) {
      const { frame } = operation
      if (frame === null) continue
      operation.frame = null
      this.#removeWaiting(frame)
      send(frame)
    }
  }

  /**
   * Rejects those that were sent: nobody knows whether they were carried out.
   * @param {unknown} error
   */
  failSent(error) {
    for (const [id, operation] of this.#all) {
      if (operation.frame === null) this.take(id)?.reject(error)
    }
  }

  /** @param {unknown} error */
  failAll(error) {
    for (const id of this.#all.keys()) this.take(id)?.reject(error)
  }

  /**
   * Rejects those that have waited long enough.
   * @param {number} now
   * @param {unknown} error
   */
  expire(now, error) {
    for (const [id, operation] of this.#all) {
      if (operation.frame !== null && operation.expires <= now) this.take(id)?.reject(error)
    }
  }

  /** When the first of those that wait has waited long enough; Infinity if none waits. */
  get nextExpiry() {
    let first = Infinity
    for (const { frame, expires } of this.#all.values()) {
      if (frame !== null) first = Math.min(first, expires)
    }
    return first
  }

  /** @param {Uint8Array} frame */
  #addWaiting(frame) {
    // One may always wait, however long it is.
    const bytes = this.#waiting === 0 ? 0 : this.#waitingBytes + frame.length
    if (this.#waiting >= MAX_WAITING || bytes > MAX_WAITING_BYTES) {
      throw full('too much waits for a connection')
    }
    this.#waiting += 1
    this.#waitingBytes += frame.length
  }

  /** @param {Uint8Array} frame */
  #removeWaiting(frame) {
    this.#waiting -= 1
    this.#waitingBytes -= frame.length
  }
}

/** @param {string} message */
function full(message) {
  return new NetworkClusterError('ERR_NC_QUEUE_FULL', message)
}

module.exports = { Operations }
