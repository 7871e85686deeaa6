'use strict'

/** Looks so often, within the time that work waits, whether there is a worker for it. */
const LOOKS = 4

/** Fails work that no worker can do, if none that can connects in time. */
class Waiting {
  #compute
  #timeout
  #makesWorkers
  /** @type {NodeJS.Timeout | undefined} */
  #timer
  /** @type {Map<number, number>} jobs that nobody can do, since when */
  #since = new Map()

  /**
   * @param {import('./compute')} compute
   * @param {number} timeout ms
   * @param {() => boolean} makesWorkers whether the manager makes workers itself: they are sent functions
   */
  constructor(compute, timeout, makesWorkers) {
    this.#compute = compute
    this.#timeout = timeout
    this.#makesWorkers = makesWorkers
  }

  start() {
    this.#timer ??= setTimeout(() => this.#look(), this.#timeout / LOOKS).unref()
  }

  stop() {
    clearTimeout(this.#timer)
  }

  #look() {
    this.#timer = undefined
    const now = performance.now()
    const stranded = this.#compute.pool.stranded(this.#makesWorkers())
    this.#since = new Map(stranded.map((job) => [job, this.#since.get(job) ?? now]))
    for (const [job, since] of this.#since) {
      if (now - since < this.#timeout) continue
      const message = `no worker that can do it connected within ${this.#timeout} ms (waitForWorkers)`
      this.#compute.fail(job, 'ERR_NC_NO_WORKERS', message)
    }
    if (this.#compute.jobs.size > 0) this.start()
  }
}

module.exports = Waiting
