'use strict'

// A chat in one file: rooms are channels, logging in is a procedure, and a middleware decides who
// may write what. The same code runs on socketcluster-server.

const fs = require('node:fs')
const http = require('node:http')
const path = require('node:path')
const { attach } = require('../..')

const port = Number(process.env.SOCKETCLUSTER_PORT ?? 8000)

const files = {
  '/': ['public/index.html', 'text/html; charset=utf-8'],
  '/chat.js': ['public/chat.js', 'text/javascript; charset=utf-8'],
  '/style.css': ['public/style.css', 'text/css; charset=utf-8'],
  '/socketcluster-client.js': [clientFile(), 'text/javascript; charset=utf-8'],
}

const httpServer = http.createServer(serve)
const agServer = attach(httpServer)

agServer.setMiddleware(agServer.MIDDLEWARE_INBOUND, async (stream) => {
  for await (const action of stream) {
    if (action.type === action.SUBSCRIBE) checkRoom(action)
    else if (action.type === action.PUBLISH_IN) checkMessage(action)
    else action.allow()
  }
})

handleConnections()
logProblems()
httpServer.listen(port, () => {
  console.log(`[Active] es-networkcluster chat example: open http://localhost:${port}`)
})

process.once('SIGINT', shutDown)
process.once('SIGTERM', shutDown)

function serve(request, response) {
  const { pathname } = new URL(request.url, 'http://localhost')
  if (pathname === '/health-check') {
    response.end('OK')
    return
  }
  if (!Object.hasOwn(files, pathname)) {
    response.writeHead(404).end('Not Found')
    return
  }
  const [file, type] = files[pathname]
  response.writeHead(200, { 'content-type': type, 'x-content-type-options': 'nosniff' })
  fs.createReadStream(path.resolve(__dirname, file)).pipe(response)
}

function clientFile() {
  const main = require.resolve('socketcluster-client')
  return path.join(path.dirname(main), 'socketcluster-client.min.js')
}

function checkRoom(action) {
  if (isRoom(action.channel)) action.allow()
  else action.block(refusal('There is no such room'))
}

/** Lets a message through with the sender's name from the token, never from the client. */
function checkMessage(action) {
  const { socket, channel, data } = action
  if (!socket.authToken) action.block(refusal('Log in before you write'))
  else if (!isRoom(channel)) action.block(refusal('There is no such room'))
  else if (!isText(data?.text, 500)) action.block(refusal('A message has 1 to 500 characters'))
  else action.allow({ data: { from: socket.authToken.name, text: data.text, at: Date.now() } })
}

function isRoom(channel) {
  return /^room\/[\p{L}\p{N}-]{1,32}$/u.test(channel)
}

function isText(value, limit) {
  return typeof value === 'string' && value.trim() !== '' && value.length <= limit
}

function refusal(message) {
  const error = new Error(message)
  error.name = 'RefusedError'
  return error
}

async function handleConnections() {
  for await (const { socket } of agServer.listener('connection')) {
    handleLogins(socket)
  }
}

async function handleLogins(socket) {
  for await (const request of socket.procedure('login')) {
    const name = request.data?.name
    if (!isText(name, 24)) {
      request.error(refusal('A name has 1 to 24 characters'))
      continue
    }
    await socket.setAuthToken({ name: name.trim() })
    request.end()
  }
}

async function logProblems() {
  for await (const { error } of agServer.listener('error')) {
    console.error(error)
  }
}

async function shutDown() {
  httpServer.close()
  httpServer.closeAllConnections()
  await agServer.close()
  console.log('[Stopped] es-networkcluster chat example')
}
