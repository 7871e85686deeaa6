'use strict'

// A worker on the thread of the manager itself: the same interface from one thread to many. What it runs
// cannot be interrupted.

const { NativeWorkerPort } = require('../core/native')

/**
 * @param {{ pool: string, worker: string }} options
 * @param {(reason: string) => void} exit
 * @returns {import('./crew').Handle}
 */
function makeInline({ pool, worker }, exit) {
  const { WorkerLoop } = require('../compute/worker-loop')
  let loop
  const port = new NativeWorkerPort(pool, worker, 1, () => loop?.wake())
  loop = new WorkerLoop(port, { id: worker })
  return {
    terminate() {
      loop.close()
      exit('closed')
    },
  }
}

module.exports = { makeInline }
