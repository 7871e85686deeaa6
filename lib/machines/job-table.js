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

  /** @param {() => void} [added] told of every new job */
  constructor(added = () => {}) {
    super()
    this.#added = added
  }

  /** @param {number} id @param {JobSeam} job */
  set(id, job) {
    // A worker thread keeps no process alive, and neither does the wake of the addon: this does.
    this.#alive ??= setInterval(() => {}, 2 ** 30)
    super.set(id, job)
    this.#added()
    return this
  }

  /** @param {number} id */
  delete(id) {
    const had = super.delete(id)
    if (had && this.size === 0) this.#rest()
    return had
  }

  clear() {
    super.clear()
    this.#rest()
  }

  /** Resolves when there is no job. @returns {Promise<void>} */
  empty() {
    if (this.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.#idle.add(resolve))
  }

  #rest() {
    clearInterval(this.#alive)
    this.#alive = undefined
    const waiting = [...this.#idle]
    this.#idle.clear()
    for (const resolve of waiting) resolve()
  }
}

module.exports = JobTable
