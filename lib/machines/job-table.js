'use strict'

/**
 * @typedef {object} JobSeam what the table needs of a job
 * @property {(kind: number, records: unknown[], at: number) => void} onRecord told each record of
 *   `NativePool.drain()` that is the job's: its kind, and where in the list its fields start
 */

/**
 * The jobs under way, by number. The process stays while there are any that it is to stay for.
 *
 * @extends {Map<number, JobSeam>}
 */
class JobTable extends Map {
  /** @type {NodeJS.Timeout | undefined} */
  #alive
  #stays = false
  /** Jobs that the process does not stay for. @type {Set<number>} */
  #quiet = new Set()
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
    super.set(id, job)
    this.#look()
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
    this.#look()
    let isHeld = true
    return () => {
      if (isHeld) this.#held -= 1
      isHeld = false
      this.#look()
    }
  }

  /**
   * @param {number} id a job in the table
   * @param {boolean} stays whether the process stays for it, as it does unless told
   */
  keepAlive(id, stays) {
    if (!this.has(id)) return
    if (stays) this.#quiet.delete(id)
    else this.#quiet.add(id)
    this.#look()
  }

  /** @param {number} id */
  delete(id) {
    const had = super.delete(id)
    this.#quiet.delete(id)
    if (had) this.#look()
    return had
  }

  clear() {
    super.clear()
    this.#quiet.clear()
    this.#look()
  }

  /** Resolves when there is no job. @returns {Promise<void>} */
  empty() {
    if (this.#isEmpty()) return Promise.resolve()
    return new Promise((resolve) => this.#idle.add(resolve))
  }

  #isEmpty() {
    return this.size === 0 && this.#held === 0
  }

  /** There will be no more jobs. Repeatable. */
  close() {
    clearInterval(this.#alive)
  }

  #look() {
    const stays = this.#held > 0 || this.size > this.#quiet.size
    if (stays !== this.#stays) this.#stay(stays)
    if (!this.#isEmpty() || this.#idle.size === 0) return
    const waiting = [...this.#idle]
    this.#idle.clear()
    for (const resolve of waiting) resolve()
  }

  /** @param {boolean} stays */
  #stay(stays) {
    this.#stays = stays
    // A worker thread keeps no process alive, and neither does the wake of the addon: this does.
    // One timer for all, since single calls come and go by the thousand.
    this.#alive ??= setInterval(() => {}, 2 ** 30)
    if (stays) this.#alive.ref()
    else this.#alive.unref()
  }
}

module.exports = JobTable
