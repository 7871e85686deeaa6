'use strict'

/** @typedef {{ epoch: string, offset: number }} Position */

/** Which messages are under way, in their order, and up to where all are done. */
class AckWindow {
  /** @param {Position} position everything up to here is done */
  constructor(position) {
    this.position = position
    /** @type {Map<Position, boolean>} whether each that has begun is done */
    this._begun = new Map()
  }

  /** Messages that have begun and are not below the position yet. */
  get size() {
    return this._begun.size
  }

  /** @param {Position} place to be given to `done` as the same object */
  begin(place) {
    this._begun.set(place, false)
  }

  /** @param {Position} place */
  done(place) {
    this._begun.set(place, true)
    for (const [first, isDone] of this._begun) {
      if (!isDone) return
      this._begun.delete(first)
      this.position = first
    }
  }

  /** There is nothing between what has begun and here. */
  skipTo(place) {
    this.begin(place)
    this.done(place)
  }
}

module.exports = AckWindow
