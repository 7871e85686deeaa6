'use strict'

// A process that listens and emits as it is told, as __test__/link/support/peer.js; with a thread, if
// told so.

const { once } = require('node:events')
const path = require('node:path')
const { Worker } = require('node:worker_threads')
const SharedEventEmitterClass = require('../../../lib/events/shared-event-emitter.js')
const station = require('./station.js')

/** @type {Map<string, (...args: any[]) => unknown>} */
let acts = new Map()
/** @type {Worker} */
let thread

const own = {
  open(url, options) {
    acts = station(new SharedEventEmitterClass(url, options))
  },
  thread(url) {
    thread = new Worker(path.join(__dirname, 'worker.js'), { workerData: { url } })
  },
  async inThread(...order) {
    const answer = once(thread, 'message')
    thread.postMessage(order)
    return (await answer)[0]
  },
  /** From now on it lives as long as its emitter keeps it. */
  leave: () => void setImmediate(() => process.disconnect()),
}

process.on('message', async ({ id, act, args }) => {
  try {
    process.send({ id, result: await (own[act] ?? acts.get(act))(...args) })
  } catch (error) {
    process.send?.({ id, error: { code: error.code, message: error.message } })
  }
})
process.send({ event: 'here' })
