'use strict'

/** A lock that is held: until it is released, its lease is over, or its thread or process ends. */
class MemoryLock {
  /** @type {Promise<boolean> | null} */
  #released = null
  #release

  /**
   * @param {string} key
   * @param {string} token greater than those of all who held the lock before
   * @param {() => Promise<boolean>} release
   */
  constructor(key, token, release) {
    this.key = key
    this.token = token
    this.#release = release
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
