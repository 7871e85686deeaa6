'use strict'

// socket.io with its defaults; channels are rooms.

const http = require('node:http')
const { Server } = require('socket.io')
const { ready } = require('./ready')

const httpServer = http.createServer()
const server = new Server(httpServer)

server.on('connection', (socket) => {
  socket.on('subscribe', (channel, done) => {
    socket.join(channel)
    done()
  })
  socket.on('publish', (channel, data) => server.to(channel).emit('publish', channel, data))
  socket.on('echo', (data, done) => done(data))
})

httpServer.listen(0, '127.0.0.1', () => ready(httpServer.address().port))
