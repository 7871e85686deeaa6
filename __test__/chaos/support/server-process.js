'use strict'

const { fork } = require('node:child_process')
const { once } = require('node:events')
const path = require('node:path')
const { within } = require('../../support/events')

const PATIENCE = 30_000

/** A server in a process of its own, on one port for all its starts. */
class ServerProcess {
  /** @param {object} options of the server */
  constructor(options) {
    this.options = options
    this.port = 0
    this.errors = []
    this._child = null
    this._calls = new Map()
    this._id = 0
  }

  /** Resolves once it serves; rejects with what kept it from that, an error with `code`. */
  async start() {
    const argument = JSON.stringify({ port: this.port, options: this.options })
    const child = fork(path.join(__dirname, 'serve.js'), [argument])
    this._child = child
    this.ended = once(child, 'exit')
    const started = new Promise((resolve, reject) => {
      child.on('message', (message) => this._message(message, resolve, reject))
      this.ended.then(([code]) => reject(new Error(`the server has ended with ${code}`)), reject)
    })
    this.port = await within(started, 'start of the server', PATIENCE)
    return this
  }

  get pid() {
    return this._child.pid
  }

  /** Ends it as a crash would: nothing of what it has not written is kept. */
  async kill() {
    this._child.kill('SIGKILL')
    await this.ended
  }

  /** Ends it as an app would. */
  async stop() {
    if (!this._child || this._child.exitCode !== null || this._child.signalCode !== null) return
    await this.call('close')
    await this.kill()
  }

  /** Has the process do something; see serve.js. */
  call(call, ...args) {
    const id = this._id++
    this._child.send({ id, call, args })
    const answer = new Promise((resolve, reject) => {
      this._calls.set(id, ({ value, wrong }) =>
        wrong ? reject(Object.assign(new Error(wrong.message), wrong)) : resolve(value),
      )
      this.ended.then(() => reject(new Error('the server has ended')))
    })
    return within(answer, `answer to ${call}`, PATIENCE)
  }

  _message({ port, failed, error, id, ...answer }, resolve, reject) {
    if (port) resolve(port)
    else if (failed) reject(Object.assign(new Error(failed.message), failed))
    else if (error) this.errors.push(error)
    else this._calls.get(id)?.(answer)
  }
}

module.exports = { ServerProcess }
