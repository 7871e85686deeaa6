'use strict'

// Threads read and write shared values, each as fast as it can.

const { once } = require('node:events')
const { Worker } = require('node:worker_threads')
const { median } = require('../../figures')
const { OPERATIONS } = require('../scenarios')

/** Starts a thread and resolves when its store is open. */
async function start(workerData) {
  const thread = new Worker(require.resolve('./memory-thread'), { workerData })
  await once(thread, 'message')
  return thread
}

/** Operations per second of all threads together; NaN if the store has no such operation. */
async function rate(threads, figure) {
  const answers = threads.map((thread) => once(thread, 'message'))
  for (const thread of threads) thread.postMessage(figure)
  const rates = await Promise.all(answers)
  return rates.reduce((sum, [each]) => sum + (each ?? NaN), 0)
}

/** @returns {Promise<Record<string, number>>} */
async function run({ threads: count, keys, seconds, passes, peer, directory, socket }) {
  const store = require(`../stores/${peer.module}`)
  const shared = (await store.prepare?.({ keys, directory, socket })) ?? null
  const barrier = new Int32Array(new SharedArrayBuffer(8))
  const { module, options = {} } = peer
  const data = { module, options, shared, directory, socket, keys, seconds, count, barrier }
  const threads = await Promise.all(Array.from({ length: count }, () => start(data)))
  const names = OPERATIONS.map(({ figure }) => figure)
  // Values have to be there before they are read.
  const order = [...names.filter((name) => !name.startsWith('get')), ...names].filter(
    (name, index, all) => all.indexOf(name) === index,
  )
  const rates = new Map(order.map((name) => [name, []]))
  for (let pass = 0; pass <= passes; pass++) {
    for (const name of order) {
      const measured = await rate(threads, name)
      // The first one warms up.
      if (pass > 0) rates.get(name).push(measured)
    }
  }
  await Promise.all(threads.map((thread) => thread.terminate()))
  return Object.fromEntries(names.map((name) => [name, median(rates.get(name))]))
}

module.exports = { run }
