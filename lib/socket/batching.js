'use strict'

// Packets that are held back and sent as one message. The core does it by the server's options,
// and JavaScript where the app has given a socket settings of its own.

const { OP } = require('../core/commands')

/** By the numbers of the core's operations. */
const BATCH = {
  START: 0,
  FLUSH: 1,
  CANCEL: 2,
  START_INTERVAL: 3,
  STOP_INTERVAL: 4,
  CANCEL_INTERVAL: 5,
}

const SETTINGS = ['batchOnHandshake', 'batchOnHandshakeDuration', 'batchInterval']

const batching = {
  startBatch() {
    this.isBufferingBatch = true
    this._batch(BATCH.START)
  },

  flushBatch() {
    this.isBufferingBatch = false
    this._batch(BATCH.FLUSH)
  },

  cancelBatch() {
    this.isBufferingBatch = false
    this._batch(BATCH.CANCEL)
  },

  startBatching() {
    this.isBatching = true
    this._startBatching()
  },

  stopBatching() {
    this.isBatching = false
    this._stopBatching()
  },

  cancelBatching() {
    this.isBatching = false
    this._forgetBatch()
    this._batch(BATCH.CANCEL_INTERVAL)
  },

  _startBatching() {
    this.isBufferingBatch = true
    if (this.batchInterval === this.server.options.batchInterval) {
      this._batch(BATCH.START_INTERVAL)
    } else if (!this._batchTimer) {
      this._batch(BATCH.START)
      this._batchTimer = setInterval(() => {
        this._batch(BATCH.FLUSH)
        this._batch(BATCH.START)
      }, this.batchInterval)
    }
  },

  _stopBatching() {
    this._forgetBatch()
    this._batch(BATCH.STOP_INTERVAL)
  },

  /** The handshake is done, and where the server's options say so the core holds packets back. */
  _batchOnHandshake() {
    const { options } = this.server
    if (SETTINGS.some((name) => this[name] !== options[name])) {
      if (options.batchOnHandshake) this._batch(BATCH.STOP_INTERVAL)
      if (this.batchOnHandshake) this._startBatching()
    }
    if (!this.batchOnHandshake) return
    this.isBufferingBatch = true
    setTimeout(() => {
      if (!this.isBatching) this._stopBatching()
    }, this.batchOnHandshakeDuration)
  },

  _forgetBatch() {
    clearInterval(this._batchTimer)
    this._batchTimer = undefined
    this.isBufferingBatch = false
  },

  _batch(operation) {
    if (this._gone) return
    this._command(OP.BATCH).u32(operation)
    this._link.flushUnlessDispatching()
  },
}

module.exports = batching
