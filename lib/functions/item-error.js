'use strict'

/** A function threw (or rejected) for one item of a chunk. */
class ItemError extends Error {
  /**
   * @param {number} index the item's place in what is iterated over
   * @param {unknown} cause what was thrown
   */
  constructor(index, cause) {
    super(`the function failed for item ${index}`, { cause })
    this.index = index
  }
}

module.exports = ItemError
