'use strict'

const http = require('node:http')
const { consume, once } = require('../support')

/** One side of the comparison: an app on the given module, and a record of what its server said. */
async function startSide(library, options, middleware) {
  const httpServer = http.createServer()
  const server = library.attach(httpServer, { ...options })
  const log = []
  listen(server, log)
  if (middleware) middleware(server)
  const ready = once(server, 'ready')
  await new Promise((resolve) => httpServer.listen(0, '127.0.0.1', resolve))
  await ready
  return {
    server,
    port: httpServer.address().port,
    takeLog: () => log.splice(0),
    async stop() {
      await server.close()
      httpServer.closeAllConnections()
      await new Promise((resolve) => httpServer.close(resolve))
      server.closeAllListeners()
    },
  }
}

function listen(server, log) {
  const note = (event, read) =>
    consume(server.listener(event), (value) => {
      log.push([event, read(value)])
    })
  note('warning', ({ warning }) => ({ name: warning.name, message: warning.message }))
  note('error', ({ error }) => ({ name: error.name, message: error.message }))
  note('connectionAbort', ({ code, reason }) => ({ code, reason }))
  note('disconnection', ({ code, reason }) => ({ code, reason }))
  note('subscription', ({ channel, subscriptionOptions }) => ({ channel, subscriptionOptions }))
  note('unsubscription', ({ channel }) => channel)
  note('deauthentication', ({ oldAuthToken }) => !oldAuthToken)
  note('authenticationStateChange', ({ newAuthState }) => newAuthState)
  note('badSocketAuthToken', ({ authError }) => authError.name)
  consume(server.listener('connection'), ({ socket, isAuthenticated }) => {
    log.push(['connection', isAuthenticated])
    serve(server, socket, log)
  })
}

const failure = () =>
  Object.assign(new Error('it broke'), { name: 'BrokenError', part: { list: [1, null] } })

function procedures(server, socket) {
  return {
    echo: (request) => request.end(request.data),
    fail: (request) => request.error(failure()),
    'fail-text': (request) => request.error('just text'),
    nothing: (request) => request.end(),
    bytes: (request) => request.end({ b: Buffer.from([0, 255]), a: new ArrayBuffer(2) }),
    subscriptions: (request) =>
      request.end({ names: socket.subscriptions(), count: socket.channelSubscriptionsCount }),
    auth: (request) =>
      request.end({ state: socket.authState, token: socket.authToken && socket.authToken.user }),
    counters: (request) =>
      request.end([socket.inboundReceivedMessageCount, socket.inboundProcessedMessageCount]),
    kick: async (request) => {
      await socket.kickOut(request.data, 'out')
      request.end()
    },
    ask: async (request) => {
      const answer = socket.invoke('question', request.data, { ackTimeout: 150 })
      await answer.then(
        (data) => request.end({ data: data === undefined ? 'undefined' : data }),
        ({ name, message }) => request.end({ name, message }),
      )
    },
    leave: (request) => {
      request.end()
      socket.disconnect(request.data && request.data.code, request.data && request.data.reason)
    },
    publish: async (request) => {
      await server.exchange.invokePublish(request.data.channel, request.data.data)
      request.end()
    },
  }
}

function serve(server, socket, log) {
  for (const [name, answer] of Object.entries(procedures(server, socket))) {
    consume(socket.procedure(name), async (request) => {
      try {
        await answer(request)
      } catch (error) {
        log.push(['app', error.name])
      }
    })
  }
  for (const name of ['any', '', '#publish', '#unsubscribe', '#removeAuthToken', '#kickOut']) {
    consume(socket.receiver(name), (data) => {
      log.push(['receiver', name, data === undefined ? 'undefined' : data])
    })
  }
  consume(socket.listener('raw'), ({ message }) => {
    log.push(['raw', String(message).slice(0, 200)])
  })
}

module.exports = { startSide }
