'use strict'

const { InvalidActionError } = require('sc-errors')

/**
 * What an action is about: which of these it has depends on its type.
 * @typedef {{
 *   type?: string,
 *   request?: import('http').IncomingMessage,
 *   socket?: any,
 *   receiver?: string,
 *   procedure?: string,
 *   channel?: string,
 *   data?: any,
 *   since?: any,
 *   key?: any,
 *   delay?: any,
 *   at?: any,
 *   limit?: any,
 *   reverse?: any,
 *   signedAuthToken?: string | null,
 *   authToken?: any,
 *   authTokenExpiredError?: Error,
 * }} ActionFields
 */

/** Something middleware decides on: `allow` it or `block` it, once. */
class AGAction {
  constructor() {
    this.outcome = null
    this.promise = new Promise((resolve, reject) => {
      this._resolve = resolve
      this._reject = reject
    })

    // Own and bound: `let { allow, block } = action` is common.
    this.allow = (packet) => {
      this._decide('allowed', 'allow')
      this._resolve(packet)
    }
    this.block = (error) => {
      this._decide('blocked', 'block')
      this._reject(error)
    }
  }

  _decide(outcome, verb) {
    if (this.outcome) {
      throw new InvalidActionError(
        `AGAction ${/** @type {ActionFields} */ (this).type} has already been ${this.outcome}; cannot ${verb}`,
      )
    }
    this.outcome = outcome
  }
}

const TYPES = {
  HANDSHAKE_WS: 'handshakeWS',
  HANDSHAKE_SC: 'handshakeSC',
  MESSAGE: 'message',
  TRANSMIT: 'transmit',
  INVOKE: 'invoke',
  SUBSCRIBE: 'subscribe',
  PUBLISH_IN: 'publishIn',
  PUBLISH_OUT: 'publishOut',
  AUTHENTICATE: 'authenticate',
  HISTORY: 'history',
  PRESENCE: 'presence',
}

Object.assign(AGAction, TYPES)
Object.assign(AGAction.prototype, TYPES)

/** @typedef {typeof TYPES & (new () => AGAction & typeof TYPES & ActionFields)} ActionClass */

module.exports = /** @type {ActionClass} */ (/** @type {unknown} */ (AGAction))
