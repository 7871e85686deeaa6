'use strict'

// A program which serves from worker threads; each closes its server and ends by itself.
const { Worker, isMainThread } = require('node:worker_threads')

if (isMainThread) {
  const workers = [1, 2, 3].map(
    () => new Worker(__filename, { argv: [process.argv[2], '2', 'traffic'] }),
  )
  let left = workers.length
  for (const worker of workers) {
    worker.on('error', (error) => {
      console.error(error)
      process.exit(1)
    })
    worker.on('exit', (code) => {
      if (code !== 0) process.exitCode = 1
      if (--left === 0) process.stdout.write('closed every worker\n')
    })
  }
} else {
  require('./closing-script')
}
