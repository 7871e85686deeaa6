'use strict'

// A server in a process of its own, which a test attacks from outside. Needs --expose-gc.
// argument: the transport
const http = require('node:http')
const { attach } = require('../../..')
const { consume } = require('../../support')

const web = http.createServer()
const server = attach(web, { authKey: 'some-key', transport: process.argv[2] })

consume(server.listener('connection'), ({ socket }) => {
  consume(socket.procedure('echo'), (request) => request.end(request.data))
  consume(socket.receiver('heard'), () => {})
})
// Attackers make them: nobody is to be told.
consume(server.listener('warning'), () => {})

process.on('message', () => {
  global.gc()
  const channels = server.brokerEngine.subscriptions().length
  process.send({ rss: process.memoryUsage().rss, clients: server.clientsCount, channels })
})
process.once('disconnect', () => process.exit())
web.listen(0, '127.0.0.1', () => process.send({ port: web.address().port }))
