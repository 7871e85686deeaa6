// Checked by `tsc --noEmit`: a line after @ts-expect-error must not compile, all others must.
import http = require('node:http')
import * as api from 'es-networkcluster'
import defaultApi from 'es-networkcluster'
import { AGServer, AGServerSocket, AGRequest, attach, listen } from 'es-networkcluster'
import type { AGServerOptions, BrokerEngine, ServerMetrics } from 'es-networkcluster'

const httpServer = http.createServer()

function options() {
  const all: AGServerOptions = {
    ackTimeout: 1,
    authAlgorithm: 'HS512',
    authKey: 'secret',
    maxPayload: null,
    origins: '*:*',
    protocolVersion: 1,
    socketStreamCleanupMode: 'close',
    transport: 'bridge',
    maxBackpressure: 16 * 1024 * 1024,
    maxBatchLength: 100,
    maxDepth: 100,
    messageRate: { perSecond: 100, burst: 200, policy: 'close' },
    metricsPath: '/metrics',
  }
  attach(httpServer, all)
  // @ts-expect-error
  attach(httpServer, { protocolVersion: 3 })
  // @ts-expect-error
  attach(httpServer, { transport: 'pigeon' })
  // @ts-expect-error
  attach(httpServer, { pingTimeout: '30s' })
  // @ts-expect-error
  attach(httpServer, { maxBackpressure: '16M' })
  // @ts-expect-error
  attach(httpServer, { pingTimout: 1 })
}

function creation() {
  const servers: AGServer[] = [
    listen(8000),
    listen(8000, {}),
    listen(8000, () => {}),
    listen(8000, { path: '/' }, () => {}),
    attach(httpServer),
    new AGServer(),
    new api.AGServer({ httpServer }),
    defaultApi.attach(httpServer),
  ]
  // @ts-expect-error
  listen('8000')
  return servers
}

async function events(server: AGServer) {
  for await (const { socket, id, isAuthenticated, authError } of server.listener('connection')) {
    const peer: AGServerSocket = socket
    const name: string = id + peer.id
    const authenticated: boolean = isAuthenticated
    const error: Error | undefined = authError
    void [name, authenticated, error]
  }
  for await (const { warning } of server.listener('warning')) {
    const error: Error = warning
    void error
    // @ts-expect-error
    void warning.nonsense
  }
  const { socket, code, reason } = await server.listener('disconnection').once(1000)
  const text: string = reason + socket.id
  const number: number = code
  await server.listener('ready').once()
  const custom = await server.listener<{ own: number }>('ownEvent').once()
  const own: number = custom.own
  void [text, number, own]
  // @ts-expect-error
  for await (const { sockets } of server.listener('connection')) void sockets
  // @ts-expect-error
  for await (const { socket } of server.listener('error')) void socket
}

async function members(server: AGServer) {
  server.signatureKey = 'another'
  server.pingTimeout = 1
  const ids: string[] = Object.keys(server.clients)
  const first: AGServerSocket | undefined = server.clients[ids[0]]
  const count: number = server.clientsCount + server.pendingClientsCount
  const metrics: ServerMetrics = server.metrics()
  const busy: number[] = metrics.threads.map((thread) => thread.busy)
  const unsent: number = metrics.unsentBytes + metrics.bridge.unsentBytes
  void [busy, unsent]
  // @ts-expect-error
  void metrics.nonsense
  await server.close()
  await server.close(true)
  server.setCodecEngine({ encode: (value) => value, decode: (message) => message })
  void [first, count]
  // @ts-expect-error
  server.setCodecEngine({ encode: (value: unknown) => value })
  // @ts-expect-error
  server.exchange = null
}

function engines(broker: BrokerEngine) {
  attach(httpServer, { brokerEngine: broker })
  attach(httpServer, {
    authEngine: {
      verifyToken: async () => ({}),
      signToken: async () => 'token',
    },
    requestCreator: (socket, id, procedureName, data) =>
      new AGRequest(socket, id, procedureName, data),
  })
  // @ts-expect-error
  attach(httpServer, { brokerEngine: {} })
  // @ts-expect-error
  attach(httpServer, { authEngine: { signToken: async () => 'token' } })
}

class OwnServer extends AGServer {
  ownMethod() {
    return this.generateId().length
  }
}

void [options, creation, events, members, engines, OwnServer]
