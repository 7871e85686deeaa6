'use strict'

// A board of orders that misses nothing: the channel keeps its messages, and each page goes on where
// it was. See public/orders.js for the page.

const fs = require('node:fs')
const http = require('node:http')
const path = require('node:path')
const { attach } = require('../..')
const { clientFile } = require('./client-file')

const BOARD = 'orders/board'
const port = Number(process.env.SOCKETCLUSTER_PORT ?? 8000)

const HTML = 'text/html; charset=utf-8'
const SCRIPT = 'text/javascript; charset=utf-8'
const files = {
  '/': [HTML, read('public/index.html')],
  '/orders.js': [SCRIPT, read('public/orders.js')],
  '/style.css': ['text/css; charset=utf-8', read('public/style.css')],
  '/client.js': [SCRIPT, clientFile],
  '/socketcluster-client.js': [SCRIPT, read(originalClient())],
}

const httpServer = http.createServer(serve)
const agServer = attach(httpServer, {
  streams: [{ match: 'orders/*', class: 'history', size: 1000, presence: true }],
})

agServer.setMiddleware(agServer.MIDDLEWARE_INBOUND, async (stream) => {
  for await (const action of stream) {
    if (action.type === action.SUBSCRIBE && action.channel !== BOARD) {
      action.block(refusal('There is only one board'))
    } else if (action.type === action.PUBLISH_IN) checkOrder(action)
    else action.allow()
  }
})

logProblems()
httpServer.listen(port, () => {
  const { port } = httpServer.address()
  console.log(`[Active] es-networkcluster orders example: open http://localhost:${port}`)
})

process.once('SIGINT', shutDown)
process.once('SIGTERM', shutDown)

function serve(request, response) {
  const { pathname } = new URL(request.url, 'http://localhost')
  if (!Object.hasOwn(files, pathname)) {
    response.writeHead(404).end('Not Found')
    return
  }
  const [type, content] = files[pathname]
  response.writeHead(200, { 'content-type': type, 'x-content-type-options': 'nosniff' })
  response.end(content())
}

function read(file) {
  return () => fs.readFileSync(path.resolve(__dirname, file))
}

function originalClient() {
  const main = require.resolve('socketcluster-client')
  return path.join(path.dirname(main), 'socketcluster-client.min.js')
}

/** Lets an order through as what it may be, with the time at which it was given. */
function checkOrder(action) {
  const text = action.data?.text
  if (action.channel !== BOARD) action.block(refusal('There is only one board'))
  else if (typeof text !== 'string' || text.trim() === '' || text.length > 200) {
    action.block(refusal('An order has 1 to 200 characters'))
  } else action.allow({ data: { text: text.trim(), at: Date.now() } })
}

function refusal(message) {
  const error = new Error(message)
  error.name = 'RefusedError'
  return error
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
  console.log('[Stopped] es-networkcluster orders example')
}
