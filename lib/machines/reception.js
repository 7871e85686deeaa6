'use strict'

// Where a manager listens: for workers and Adaptables that connect, and for processes of its own.

class Reception {
  constructor(pool, options, events) {
    this.options = options
    this.pool = pool
    this.events = events
  }

  get url() {
    return undefined
  }

  async ready() {}

  async start() {}

  forProcesses() {
    throw new Error('not yet')
  }

  adaptables() {
    return []
  }

  async assign(_id, _role, _options) {}

  async close() {}
}

module.exports = Reception
