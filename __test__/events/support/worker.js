'use strict'

// A thread that listens and emits as its parent tells it.

const { parentPort, workerData } = require('node:worker_threads')
const SharedEventEmitterClass = require('../../../lib/events/shared-event-emitter.js')
const station = require('./station.js')

const port = /** @type {import('node:worker_threads').MessagePort} */ (parentPort)
const acts = station(new SharedEventEmitterClass(workerData?.url))

port.on('message', async ([act, ...args]) => {
  port.postMessage(await acts.get(act)?.(...args))
})
