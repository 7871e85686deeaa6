'use strict'

const { checkMilliseconds } = require('./check.js')

/** A lock that is held: until it is released, its lease is over, or its thread or process ends. */
class MemoryLock {
  /** @type {Promise<boolean> | null} */
  #released = null
  #release
  #renew

  /**
   * @param {string} key
   * @param {string} token greater than those of all who held the lock before
   * @param {() => Promise<boolean>} release
   * @param {(lease: number) => Promise<boolean>} renew
   */
  constructor(key, token, release, renew) {
    this.key = key
    this.token = token
    this.#release = release
    this.#renew = renew
  }

  /**
   * @param {number} leaseTime milliseconds from now
   * @returns {Promise<boolean>} whether it is held: false if its lease was over
   */
  async renew(leaseTime) {
    checkMilliseconds(leaseTime, 'leaseTime')
    return this.#released === null && this.#renew(leaseTime)
  }

  /**
   * May be called again.
   * @returns {Promise<boolean>} whether it was held until now: false if its lease was over
   */
  release() {
    this.#released ??= this.#release()
    return this.#released
  }

  async [Symbol.asyncDispose]() {
    await this.release()
  }
}

module.exports = MemoryLock
