'use strict'

// What a process runs that a manager made as a worker. It ends with the process that made it, whose id is its
// argument.

const { Worker: Thread } = require('node:worker_threads')
const { SLOTS } = require('../compute/worker-loop')
const { Worker } = require('./worker')

/** Looks whether the parent lives where the main thread may be in a loop that never ends. */
const WATCH = `
const { workerData: parent } = require('node:worker_threads')
setInterval(() => process.ppid === parent || process.kill(process.pid, 'SIGKILL'), 500)
`

process.once('disconnect', () => process.exit(0))
process.once('message', (/** @type {any} */ { worker, connect, token }) => {
  const machine = new Worker({ connect, token, concurrency: SLOTS }, { id: worker })
  const end = (/** @type {Error} */ error) => {
    process.send?.({ failed: error.message }, () => process.exit(1))
  }
  // Without its manager it has nothing to do.
  machine.once('down', end)
  machine.on('error', end)
  machine.start().catch(end)
})

// It is told its parent: when a thread begins to look, the parent may be gone already.
new Thread(WATCH, {
  eval: true,
  workerData: Number(process.argv[2]),
  resourceLimits: { maxOldGenerationSizeMb: 8 },
}).unref()
