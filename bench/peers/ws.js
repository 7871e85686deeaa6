'use strict'

// ws, with the least that makes it a broker: a map of channels, and one send per subscriber.

const http = require('node:http')
const { WebSocketServer } = require('ws')
const { ready } = require('./ready')

const httpServer = http.createServer()
const server = new WebSocketServer({ server: httpServer })
/** @type {Map<string, Set<import('ws').WebSocket>>} */
const channels = new Map()

function subscribe(socket, channel) {
  const subscribers = channels.get(channel) ?? new Set()
  channels.set(channel, subscribers.add(socket))
  socket.on('close', () => subscribers.delete(socket))
  socket.send('ok')
}

function publish(message) {
  const space = message.indexOf(32)
  const data = message.subarray(space + 1)
  for (const subscriber of channels.get(message.toString('latin1', 1, space)) ?? []) {
    subscriber.send(data, { binary: false })
  }
}

server.on('connection', (socket) => {
  socket.on('message', (message) => {
    const verb = String.fromCharCode(message[0])
    if (verb === '+') subscribe(socket, message.toString('latin1', 1))
    else if (verb === '=') publish(message)
    else if (verb === '?') socket.send(message, { binary: false })
  })
})

httpServer.listen(0, '127.0.0.1', () => ready(httpServer.address().port))
