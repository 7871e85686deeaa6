'use strict'

// Bun's own server and its publish, run by Bun.

const { ready } = require('./ready')

/* global Bun */
const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  fetch(request, server) {
    if (!server.upgrade(request)) return new Response('no upgrade', { status: 400 })
  },
  websocket: {
    // As much as the others let a slow client fall behind.
    backpressureLimit: 16 * 1024 * 1024,
    message(socket, message) {
      const verb = message[0]
      if (verb === '+') {
        socket.subscribe(message.slice(1))
        socket.send('ok')
      } else if (verb === '=') {
        const space = message.indexOf(' ')
        server.publish(message.slice(1, space), message.slice(space + 1))
      } else if (verb === '?') {
        socket.send(message)
      }
    },
  },
})
ready(server.port)
