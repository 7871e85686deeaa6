'use strict'

// A whole server process: serves until its parent closes stdin; tells its port, then its state.
const http = require('node:http')
const subject = require('../support/subject')

const transport = process.argv[2]
const httpServer = http.createServer()
const options = { socketChannelLimit: 3 }
if (transport !== 'default') options.transport = transport
const server = subject.attach(httpServer, options)
const own = (object) => Object.getOwnPropertyNames(object).sort().join()
const watched = [Object.prototype, Object, Function.prototype, Array.prototype]
const before = watched.map(own)

async function serve() {
  for await (const { socket } of server.listener('connection')) {
    answer(socket, 'echo')
    if (socket.request.url.includes('names')) answer(socket, socket.request.url.split('=')[1])
  }
}

async function answer(socket, name) {
  for await (const request of socket.procedure(name)) request.end(request.data)
}

serve()
httpServer.listen(0, '127.0.0.1', () => console.log(`port ${httpServer.address().port}`))
process.stdin.resume()
process.stdin.on('data', () => {
  const polluted = watched.some((object, n) => own(object) !== before[n])
  const { clientsCount, pendingClientsCount } = server
  console.log(JSON.stringify({ polluted, clientsCount, pendingClientsCount }))
})
process.stdin.on('end', () => process.exit(0))
