'use strict'

// Tells those who make work when to pause, and when to go on.

class Pressure {
  #compute
  #high
  #low
  #emit
  #isTold = false
  #looking = false

  /**
   * @param {import('./compute')} compute
   * @param {number} maxQueue items; more are refused
   * @param {(event: 'needsDrain' | 'drain') => void} emit
   */
  constructor(compute, maxQueue, emit) {
    this.#compute = compute
    this.#high = Math.max(1, Math.floor(maxQueue / 2))
    this.#low = Math.floor(maxQueue / 4)
    this.#emit = emit
  }

  isHigh() {
    return this.#compute.stats().pending >= this.#high
  }

  /** After work was submitted: looks once per turn of the event loop. */
  look() {
    if (this.#looking || this.#isTold) return
    this.#looking = true
    setImmediate(() => {
      this.#looking = false
      if (this.#isTold || !this.isHigh()) return
      this.#isTold = true
      this.#emit('needsDrain')
    })
  }

  /** After work was done. */
  ease() {
    if (!this.#isTold || this.#compute.stats().pending > this.#low) return
    this.#isTold = false
    this.#emit('drain')
  }
}

module.exports = Pressure
