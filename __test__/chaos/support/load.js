'use strict'

const { fork } = require('node:child_process')
const { once } = require('node:events')
const path = require('node:path')

/** Publishes at a rate, from a process of its own. */
class Load {
  constructor(port, rate) {
    this._child = fork(path.join(__dirname, 'load-script.js'), [JSON.stringify({ port, rate })])
    this.ready = once(this._child, 'message')
  }

  /** Resolves to how many publishes per second have come back. */
  async end() {
    this._child.send('end')
    const [{ perSecond }] = await once(this._child, 'message')
    return perSecond
  }

  close() {
    this._child.kill('SIGKILL')
  }
}

module.exports = { Load }
