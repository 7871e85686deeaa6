'use strict'

/**
 * @typedef {object} JobSeam what the table needs of a job
 * @property {(kind: number, records: unknown[], at: number) => void} onRecord told each record of
 *   `NativePool.drain()` that is the job's: its kind, and where in the list its fields start
 */

/**
 * The jobs under way, by number. The process stays while there are any.
 *
 * @extends {Map<number, JobSeam>}
 */
class JobTable extends Map {
  /** @type {NodeJS.Timeout | undefined} */
  #alive
  /** @type {Set<() => void>} */
  #idle = new Set()
  #added
  /** What was accepted and is not, or not all, in the table yet. */
  #held = 0

  /** @param {() => void} [added] told of every new job */
  constructor(added = () => {}) {
    super()
    this.#added = added
  }

  /** @param {number} id @param {JobSeam} job */
  set(id, job) {
    this.#stay()
    super.set(id, job)
    this.#added()
    return this
  }

  /**
   * Work was accepted that will be one job, or one behind the other: until it is released the table
   * counts as not empty.
   * @returns {() => void} releases it; repeatable
   */
  hold() {
    this.#held += 1
    this.#stay()
    let isHeld = true
    return () => {
      if (isHeld) this.#held -= 1
      isHeld = false
      this.#restIfEmpty()
    }
  }

  #stay() {
    // A worker thread keeps no process alive, and neither does the wake of the addon: this does.
    this.#alive ??= setInterval(() => {}, 2 ** 30)
  }

  /** @param {number} id */
  delete(id) {
    const had = super.delete(id)
    if (had) this.#restIfEmpty()
    return had
  }

  clear() {
    super.clear()
    this.#restIfEmpty()
  }

  /** Resolves when there is no job. @returns {Promise<void>} */
  empty() {
    if (this.#isEmpty()) return Promise.resolve()
    return new Promise((resolve) => this.#idle.add(resolve))
  }

  #isEmpty() {
    return this.size === 0 && this.#held === 0
  }

  #restIfEmpty() {
    if (!this.#isEmpty()) return
    clearInterval(this.#alive)
    this.#alive = undefined
    const waiting = [...this.#idle]
    this.#idle.clear()
    for (const resolve of waiting) resolve()
  }
}

module.exports = JobTable
