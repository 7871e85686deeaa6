'use strict'

// How often a client asks for what is missing: at once the first time, then after pauses that grow.

/** Milliseconds from one request to the next: doubled each time. */
const FIRST_PAUSE = 100
const LONGEST_PAUSE = 2000
/** After as long without a request the pauses begin anew. */
const CALM = 10000

class Pace {
  constructor() {
    this._pause = 0
    this._last = 0
  }

  /** Milliseconds until a request may be sent. It is taken to be sent then. */
  next() {
    const now = Date.now()
    const since = now - this._last
    // Negative if the clock was set back, or the last one was given up.
    if (since < 0 || since >= CALM) this._pause = 0
    const wait = Math.max(0, this._pause - since)
    this._pause = Math.min(this._pause * 2 || FIRST_PAUSE, LONGEST_PAUSE)
    this._last = now + wait
    return wait
  }
}

module.exports = { Pace }
