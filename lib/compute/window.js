'use strict'

const { performance } = require('node:perf_hooks')

/** A block that is back sooner, in ms, could be larger; one that takes longer, smaller. */
const SOON = 15
const LATE = 60
/** Blocks per worker under way. */
const AHEAD = 2

/**
 * How far a source is pulled ahead of what has been done, or read: two blocks for each worker. Blocks
 * are of one item at first, and grow as long as they are back soon.
 */
class Window {
  #parallelism
  #fixed
  #most
  #ahead = 0
  /** @type {{ index: number, at: number } | undefined} an item that is timed */
  #probe
  /** @type {(() => void) | undefined} */
  #wanted

  /**
   * @param {number} parallelism how many workers there may be
   * @param {number} fixed items of a block; 0 to find out
   * @param {number} most items of a block that is not fixed
   */
  constructor(parallelism, fixed, most) {
    this.#parallelism = parallelism
    this.#fixed = fixed > 0
    this.#most = most
    /** Items of the next block. */
    this.size = fixed || 1
    /** Whether blocks may grow: not while results lie there unread. */
    this.mayGrow = () => true
  }

  /** How many items may be pulled now. */
  get room() {
    return Math.max(0, this.#parallelism * AHEAD * this.size - this.#ahead)
  }

  /**
   * Resolves when there is room, or nobody wants it any more. For one who waits.
   * @returns {Promise<void>}
   */
  wait() {
    return new Promise((resolve) => {
      this.#wanted = resolve
    })
  }

  /** @param {number} count items that were pulled */
  pulled(count) {
    this.#ahead += count
  }

  /** @param {number} count of them that are done with */
  freed(count) {
    this.#ahead -= count
    if (this.room > 0) this.release()
  }

  release() {
    const wanted = this.#wanted
    this.#wanted = undefined
    wanted?.()
  }

  /** @param {number} first the first item of a block that is sent */
  sent(first) {
    this.#probe ??= { index: first, at: performance.now() }
  }

  /** @param {number} first @param {number} count items that are back */
  back(first, count) {
    const probe = this.#probe
    if (this.#fixed || probe === undefined) return
    if (probe.index < first || probe.index >= first + count) return
    this.#probe = undefined
    const took = performance.now() - probe.at
    if (took < SOON && this.mayGrow()) this.size = Math.min(this.#most, this.size * 2)
    else if (took > LATE) this.size = Math.max(1, this.size >> 1)
  }
}

module.exports = { Window }
