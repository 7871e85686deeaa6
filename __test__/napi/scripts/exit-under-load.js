'use strict'

// A server which is flooded from a worker thread and calls process.exit in the middle of it.
const http = require('node:http')
const path = require('node:path')
const { Worker } = require('node:worker_threads')
const subject = require('../../support/subject')

const transport = process.argv[2]
const httpServer = http.createServer()
const server = subject.attach(httpServer, { transport })

async function hear() {
  let heard = 0
  for await (const _ of server.brokerEngine.listener('publish')) {
    if (++heard === 500) process.exit(7)
  }
}

hear()
httpServer.listen(0, '127.0.0.1', () => {
  const workerData = { port: httpServer.address().port, clients: 8 }
  const worker = new Worker(path.join(__dirname, 'flood.js'), { workerData })
  worker.on('error', () => process.exit(8))
})
