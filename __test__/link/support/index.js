'use strict'

const { fork } = require('node:child_process')
const { once } = require('node:events')
const net = require('node:net')
const path = require('node:path')

/** A process of its own that runs peer.js, or another file that does as it is told in the same way. */
class Peer {
  #last = 0
  #waiting = new Map()
  #events = new Map()

  constructor({ file = path.join(__dirname, 'peer.js'), ...options } = {}) {
    this.child = fork(file, options)
    this.exited = once(this.child, 'exit')
    this.child.on('message', (message) => this.#heard(message))
    this.here = this.event('here')
  }

  async ask(act, ...args) {
    await this.here
    const id = (this.#last += 1)
    const answer = new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }))
    this.child.send({ id, act, args })
    return answer
  }

  /** The next event of this name. */
  event(name) {
    return new Promise((resolve) => this.#events.set(name, resolve))
  }

  async kill(signal = 'SIGKILL') {
    this.child.kill(signal)
    await this.exited
  }

  #heard({ id, result, error, event }) {
    if (event) return this.#events.get(event)?.()
    const { resolve, reject } = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (error) reject(Object.assign(new Error(error.message), error))
    else resolve(result)
  }
}

/** A port that nobody listened on a moment ago. */
async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

/** A URL on such a port, and the peers that were made for it, which end with the test. */
async function setting(t, name = '') {
  const url = `http://127.0.0.1:${await freePort()}/${name}`
  const peers = []
  t.after(() => Promise.all(peers.map((peer) => peer.kill())))
  const peer = (options) => {
    peers.push(new Peer(options))
    return peers.at(-1)
  }
  return { url, peer }
}

module.exports = { Peer, freePort, setting }
