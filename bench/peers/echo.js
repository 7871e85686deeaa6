'use strict'

/** Answers the procedure `echo` of every socket of a server with SocketCluster's interface. */
async function echo(server) {
  for await (const { socket } of server.listener('connection')) answer(socket)
}

async function answer(socket) {
  for await (const request of socket.procedure('echo')) request.end(request.data)
}

module.exports = { echo }
