'use strict'

// A server in a process of its own, which the tests of this folder kill. Its argument is JSON:
// `{ port, options }`. It tells its parent `{ port }` once it serves, `{ failed }` if it does not
// start, `{ error }` for error events, and answers `{ id, call, args }` with `{ id, value, wrong }`.

const http = require('node:http')
const subject = require(process.env.SUBJECT || '../../..')

const { port, options } = JSON.parse(process.argv[2])

const told = (error) => ({ name: error.name, code: error.code, message: error.message })

const calls = {
  /** Sets timers; each is `[method, when, message, options]`. */
  schedule: (server, timers) =>
    Promise.all(timers.map(([method, ...args]) => server.scheduler[method](...args))),
  timers: (server, limit) => server.scheduler.list({ limit }),
  metrics: (server) => server.metrics(),
  /** Ends the server as an app would. */
  close: async (server) => {
    await server.close()
  },
}

function serve() {
  const httpServer = http.createServer()
  const server = subject.attach(httpServer, options)
  listenForErrors(server)
  process.on('message', async ({ id, call, args }) => {
    try {
      process.send({ id, value: (await calls[call](server, ...args)) ?? null })
    } catch (error) {
      process.send({ id, wrong: told(error) })
    }
  })
  process.on('disconnect', () => process.exit())
  httpServer.listen(port, '127.0.0.1', () => process.send({ port: httpServer.address().port }))
}

async function listenForErrors(server) {
  for await (const { error } of server.listener('error')) process.send({ error: told(error) })
}

try {
  serve()
} catch (error) {
  process.send({ failed: told(error) }, () => process.exit(1))
}
