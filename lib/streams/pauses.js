'use strict'

/** Waits that all end at once when there is no more reason to wait. */
class Pauses {
  constructor() {
    this.ended = false
    /** @type {Set<() => void>} */
    this._waiting = new Set()
  }

  /** @param {number} ms */
  async wait(ms) {
    if (this.ended) return
    await new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer)
        this._waiting.delete(end)
        resolve(undefined)
      }
      const timer = setTimeout(end, ms)
      this._waiting.add(end)
    })
  }

  end() {
    this.ended = true
    for (const end of this._waiting) end()
  }
}

/**
 * How long to wait after so many failures in a row.
 * @param {number} first in ms; doubled with each
 * @param {number} failures
 */
function backOff(first, failures) {
  return Math.max(first, Math.min(first * 2 ** (failures - 1), LONGEST))
}

const LONGEST = 60 * 1000

module.exports = { Pauses, backOff }
