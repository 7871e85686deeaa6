'use strict'

// The base class of everything that emits events as streams.
const AsyncStreamEmitter = require('async-stream-emitter')
const StreamDemux = require('./demux')

/** @typedef {typeof import('../../types/streams').AsyncStreamEmitter} EmitterClass */

// Shares the prototype of AsyncStreamEmitter without its constructor, which would create a demux
// for every emitter: a server holds one emitter per connection and most are never listened to.
function LazyBase() {}
LazyBase.prototype = AsyncStreamEmitter.prototype

/** An AsyncStreamEmitter which holds no streams until somebody asks for one. */
class Emitter extends /** @type {EmitterClass} */ (/** @type {any} */ (LazyBase)) {
  constructor() {
    super()
    /** @type {StreamDemux | undefined} */
    this._demux = undefined
  }

  /** The demux behind `listener()`; reading it creates it. */
  get _listenerDemux() {
    if (!this._demux) {
      this._demux = new StreamDemux({
        onInterest: (eventName, on) => this._onListenerInterest(eventName, on),
      })
    }
    return this._demux
  }

  set _listenerDemux(demux) {
    this._demux = demux
  }

  emit(eventName, data) {
    if (this._demux) this._demux.write(eventName, data)
  }

  /**
   * Called when an event gets its first consumer (`on` true) and when it has lost its last one.
   * @param {string} _eventName
   * @param {boolean} _on
   */
  _onListenerInterest(_eventName, _on) {}
}

// What the methods answer while there is no demux. Asking must not create one: the backpressure of
// every connection is asked for, and every connection closes its listeners at its end.
const nothing = () => undefined
const none = () => 0
const no = () => false
const empty = () => []

const IDLE_ANSWERS = {
  closeListener: nothing,
  closeAllListeners: nothing,
  removeListener: nothing,
  killListener: nothing,
  killAllListeners: nothing,
  killListenerConsumer: nothing,
  getListenerConsumerStats: nothing,
  getListenerConsumerStatsList: empty,
  getAllListenersConsumerStatsList: empty,
  getListenerConsumerCount: none,
  getAllListenersConsumerCount: none,
  getListenerBackpressure: none,
  getAllListenersBackpressure: none,
  getListenerConsumerBackpressure: none,
  hasListenerConsumer: no,
  hasAnyListenerConsumer: no,
}

for (const [name, idleAnswer] of Object.entries(IDLE_ANSWERS)) {
  const method = AsyncStreamEmitter.prototype[name]
  Object.defineProperty(Emitter.prototype, name, {
    value(first, second) {
      return this._demux ? method.call(this, first, second) : idleAnswer()
    },
    writable: true,
    configurable: true,
  })
}

module.exports = Emitter
