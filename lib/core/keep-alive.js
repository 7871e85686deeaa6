'use strict'

const { MessageChannel } = require('node:worker_threads')

/** The port that keeps this thread running, while anybody holds it. */
const { port1: port } = new MessageChannel()
port.on('message', () => {})
port.unref()

let holders = 0

/** Keeps the thread from exiting by itself while it is held. */
class KeepAlive {
  #held = false

  /** @param {boolean} held */
  set(held) {
    if (held === this.#held) return
    this.#held = held
    holders += held ? 1 : -1
    if (holders === 1 && held) port.ref()
    if (holders === 0) port.unref()
  }
}

module.exports = KeepAlive
