'use strict'

// The server that is attacked, in a process of its own. MODULE: what serves; APP: `full` has 30
// procedures on every socket, `lean` nothing; OPTIONS: of the server; LISTEN: it listens itself.
// Needs --expose-gc.

const fs = require('node:fs')
const http = require('node:http')
const { moduleOf } = require('./modules')

const PROCEDURES = 29

const { APP, LISTEN, MODULE, OPTIONS } = process.env
const library = moduleOf(MODULE)
const options = { authKey: 'a key that attackers do not know', ...JSON.parse(OPTIONS) }
const warnings = {}

async function answer(socket, name) {
  for await (const request of socket.procedure(name)) request.end(request.data)
}

async function serve(server) {
  for await (const { socket } of server.listener('connection')) {
    answer(socket, 'echo')
    for (let n = 0; n < PROCEDURES; n++) answer(socket, `procedure-${n}`)
  }
}

async function count(server) {
  for await (const { warning } of server.listener('warning')) {
    const name = warning.code ?? warning.name
    warnings[name] = (warnings[name] ?? 0) + 1
  }
}

/** The most memory it has had, in bytes. */
function peak() {
  try {
    const status = fs.readFileSync('/proc/self/status', 'utf8')
    return Number(/^VmHWM:\s*(\d+)/m.exec(status)[1]) * 1024
  } catch {
    return process.resourceUsage().maxRSS * 1024
  }
}

function figures(server) {
  global.gc()
  const { user, system } = process.cpuUsage()
  return {
    rss: process.memoryUsage.rss(),
    peak: peak(),
    cpu: (user + system) / 1e6,
    clients: server.clientsCount,
    pending: server.pendingClientsCount,
    strangeKeys: Object.keys(Object.prototype).length + Object.keys(Object).length,
    warnings,
  }
}

function begin(server, httpServer) {
  count(server)
  if (APP === 'full') serve(server)
  process.on('message', () => process.send(figures(server)))
  process.send({ port: httpServer.address().port })
}

// Whoever started this is gone.
process.on('disconnect', () => process.exit())

if (LISTEN && library.listen) {
  const server = library.listen(0, options, () => begin(server, server.httpServer))
} else {
  const httpServer = http.createServer()
  const server = library.attach(httpServer, options)
  httpServer.listen(0, '127.0.0.1', () => begin(server, httpServer))
}
