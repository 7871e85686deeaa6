'use strict'

// A worker that is a thread of this process.

const path = require('node:path')
const { Worker } = require('node:worker_threads')

/** What a worker thread runs. */
const ENTRY = path.join(__dirname, '..', 'compute', 'thread.js')

/** The reason of a worker that had no memory left, as the pool knows it; others are sentences. */
const OUT_OF_MEMORY = 'ERR_NC_WORKER_OUT_OF_MEMORY'

/**
 * @param {object} options
 * @param {string} options.pool
 * @param {string} options.worker its id
 * @param {import('node:worker_threads').ResourceLimits} [options.resourceLimits]
 * @param {(reason: string) => void} exit
 * @returns {import('./crew').Handle}
 */
function makeThread({ pool, worker, resourceLimits }, exit) {
  const thread = new Worker(ENTRY, {
    workerData: { pool, worker },
    name: 'es-networkcluster',
    resourceLimits,
    execArgv: [],
  })
  /** @type {string | undefined} */
  let reason
  thread.on('error', (/** @type {any} */ error) => {
    const noMemory = error?.code === 'ERR_WORKER_OUT_OF_MEMORY'
    reason = noMemory ? OUT_OF_MEMORY : `ended with ${error?.stack ?? error}`
  })
  thread.on('exit', (code) => exit(reason ?? `ended with exit code ${code}`))
  // Only work under way keeps the process alive: see the table of jobs.
  thread.unref()
  return { terminate: () => void thread.terminate() }
}

module.exports = { makeThread, OUT_OF_MEMORY }
