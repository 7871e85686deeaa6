'use strict'

// What streams, timers and presence fail with: on the wire, and in promises of the app's.

/** An error with a stable `code` to match on; both it and the name are what a client is told. */
class StreamError extends Error {
  /**
   * @param {string} message
   * @param {string} code such as 'ERR_NOT_KEPT': see docs/api/streams.md
   */
  constructor(message, code) {
    super(message)
    // Own and enumerable: that is what goes over the wire.
    this.name = 'StreamError'
    this.code = code
  }

  /** @param {string} json as the core and clients write it: `{ name, message, code }` */
  static parse(json) {
    const { message, code } = JSON.parse(json)
    return new StreamError(String(message), String(code))
  }
}

module.exports = StreamError
