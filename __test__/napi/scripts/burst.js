'use strict'

// A server for a child process: tells its port, then what it holds each time it is asked.

const { setImmediate: turn } = require('node:timers/promises')
const { startServer, transportOption } = require('../../support')

const [transport, listening] = process.argv.slice(2)

async function main() {
  const { server, port } = await startServer({ watch: false, ...transportOption(transport) })
  if (listening === 'true') keep(server)
  process.on('message', async () => process.send(await holding(server)))
  process.send({ port })
}

/** Sockets are kept until they are closed, as apps do. */
async function keep(server) {
  const sockets = new Set()
  for await (const { socket } of server.listener('connection')) {
    sockets.add(socket)
    socket
      .listener('close')
      .once()
      .then(() => sockets.delete(socket))
  }
}

async function holding(server) {
  // What a finalizer lets go of is for the next run of the collector.
  for (let run = 0; run < 4; run++) {
    globalThis.gc()
    await turn()
  }
  const { rss, heapUsed } = process.memoryUsage()
  const { connections, open } = server._native.stats()
  return { rss, heapUsed, connections, open, known: server._native.connections.size }
}

main()
