'use strict'

// What a worker thread runs: see `lib/machines/thread-member.js`.

const { parentPort, workerData } = require('node:worker_threads')
const { NativeWorkerPort } = require('../core/native')
const { sharedCode } = require('./shared-code.js')
const { WorkerLoop, SLOTS } = require('./worker-loop.js')

const { pool, worker } = workerData

/** @type {InstanceType<typeof WorkerLoop> | undefined} */
let loop
const port = new NativeWorkerPort(pool, worker, SLOTS, () => loop?.wake())
loop = new WorkerLoop(port, { id: worker, codeCache: sharedCode })

// The wake of the addon keeps no thread alive: listening does.
parentPort?.on('message', () => {})
