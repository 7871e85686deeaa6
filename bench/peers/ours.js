'use strict'

// es-networkcluster with its defaults. ECHO: answers calls; IO_THREADS: so many threads for sockets;
// LISTEN: listens itself instead of being attached to an HTTP server; STREAMS: the channels it keeps, as
// JSON, KEEP: how much of them; STORAGE: the folder of those that are durable.

const http = require('node:http')
const { attach, listen } = require('../..')
const { echo } = require('./echo')
const { ready } = require('./ready')

const { IO_THREADS, STREAMS, KEEP = '{}', STORAGE } = process.env
const options = { ioThreads: Number(IO_THREADS) || undefined }
if (STREAMS) Object.assign(options, keeping(JSON.parse(STREAMS)))

function keeping(streams) {
  const durable = streams.some((each) => each.class === 'durable')
  return {
    streams: streams.map((each) => ({ ...each, ...JSON.parse(KEEP) })),
    ...(durable ? { storage: { directory: STORAGE } } : {}),
  }
}

if (process.env.LISTEN) {
  const server = listen(0, options, () => ready(server.httpServer.address().port))
  if (process.env.ECHO) echo(server)
} else {
  const httpServer = http.createServer()
  const server = attach(httpServer, options)
  if (process.env.ECHO) echo(server)
  httpServer.listen(0, '127.0.0.1', () => ready(httpServer.address().port))
}
