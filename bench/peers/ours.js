'use strict'

// es-networkcluster with its defaults. ECHO: answers calls; IO_THREADS: so many threads for sockets;
// LISTEN: listens itself instead of being attached to an HTTP server.

const http = require('node:http')
const { attach, listen } = require('../..')
const { echo } = require('./echo')
const { ready } = require('./ready')

const options = { ioThreads: Number(process.env.IO_THREADS) || undefined }

if (process.env.LISTEN) {
  const server = listen(0, options, () => ready(server.httpServer.address().port))
  if (process.env.ECHO) echo(server)
} else {
  const httpServer = http.createServer()
  const server = attach(httpServer, options)
  if (process.env.ECHO) echo(server)
  httpServer.listen(0, '127.0.0.1', () => ready(httpServer.address().port))
}
