'use strict'

// oxlint-disable unicorn/require-post-message-target-origin -- a message port has no origin

// A server for a worker thread or a child process: tells its port, answers 'echo', says no more.
const http = require('node:http')
const { parentPort } = require('node:worker_threads')
const subject = require('../../support/subject')

const transport = process.argv[2]
const tell = (message) => (parentPort ? parentPort.postMessage(message) : process.send(message))

const server =
  transport === 'listen'
    ? subject.listen(0, tellPort)
    : subject.attach(http.createServer(), transport === 'default' ? {} : { transport })
const { httpServer } = server

function tellPort() {
  tell({ port: httpServer.address().port })
}

async function serve() {
  for await (const { socket } of server.listener('connection')) echo(socket)
}

async function echo(socket) {
  for await (const request of socket.procedure('echo')) request.end(request.data)
}

async function hear() {
  for await (const _ of server.brokerEngine.listener('publish'));
}

async function close() {
  await server.close()
  httpServer.close()
  httpServer.closeAllConnections()
  tell({ closed: true })
}

serve()
hear()
if (transport !== 'listen') httpServer.listen(0, '127.0.0.1', tellPort)
if (parentPort) parentPort.once('message', close)
else process.once('message', close)
