'use strict'

/** Fails the work of a manager that makes no workers itself if none connects in time. */
class Waiting {
  #compute
  #timeout
  /** @type {NodeJS.Timeout | undefined} */
  #timer

  /**
   * @param {import('./compute')} compute
   * @param {number} timeout ms
   */
  constructor(compute, timeout) {
    this.#compute = compute
    this.#timeout = timeout
  }

  start() {
    this.#timer ??= setTimeout(() => this.#look(), this.#timeout).unref()
  }

  stop() {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #look() {
    this.#timer = undefined
    const { workers, pending } = this.#compute.stats()
    if (workers > 0 || pending === 0) return
    const message = `no worker connected within ${this.#timeout} ms (waitForWorkers)`
    this.#compute.failAll('ERR_NC_NO_WORKERS', message)
  }
}

module.exports = Waiting
