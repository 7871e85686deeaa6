'use strict'

/** A subscriber that only wants to know that something was published. */
class Waker {
  /**
   * @param {string} id
   * @param {(place: { epoch: string, offset: number }) => void} wake
   */
  constructor(id, wake) {
    this.id = id
    this._wake = wake
  }

  transmit(_event, { epoch, offset }) {
    this._wake({ epoch, offset })
  }
}

module.exports = Waker
