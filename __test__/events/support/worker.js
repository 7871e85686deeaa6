'use strict'

// A thread that listens and emits as its parent tells it.

const { parentPort } = require('node:worker_threads')
const SharedEventEmitterClass = require('../../../lib/events/shared-event-emitter.js')

const port = /** @type {import('node:worker_threads').MessagePort} */ (parentPort)
const emitter = new SharedEventEmitterClass()
/** @type {unknown[][]} */
const heard = []

/** @type {Map<string, (...args: any[]) => unknown>} */
const orders = new Map(
  Object.entries({
    on: (/** @type {string} */ event) => void emitter.on(event, (...args) => heard.push(args)),
    /** Resolves once so many have been heard. */
    heard: async (/** @type {number} */ count) => {
      while (heard.length < count) await new Promise((resolve) => setImmediate(resolve))
      return heard.splice(0)
    },
    emit: (
      /** @type {string} */ event,
      /** @type {number} */ count,
      /** @type {unknown} */ mark,
    ) => {
      for (let i = 0; i < count; i++) emitter.emit(event, mark, i)
    },
    off: () => emitter.close(),
    throwing: (/** @type {string} */ event) =>
      void emitter.on(event, () => {
        throw new Error('a listener failed')
      }),
  }),
)

port.on('message', async ([order, ...args]) => {
  port.postMessage(await orders.get(order)?.(...args))
})
