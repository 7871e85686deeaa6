import type { IncomingMessage } from 'node:http'
import { MiddlewareStreams, MiddlewareType } from './action'
import { AuthEngine, AuthKey, AuthState, AuthToken } from './auth'
import { Broker } from './broker'
import { Exchange } from './exchange'
import { ServerMetrics } from './metrics'
import { AGServerOptions, CodecEngine } from './options'
import { Scheduler } from './scheduler'
import { AGServerSocket } from './server-socket'
import { AsyncStreamEmitter } from './streams'

interface SocketEnd {
  socket: AGServerSocket
  code: number
  reason: string
}

/** Events of the server. Whatever goes wrong with one socket is a `warning` here. */
export interface AGServerEvents {
  ready: {}
  error: { error: Error }
  warning: { warning: Error }
  /** A socket was accepted; it has not sent its handshake yet. */
  handshake: { socket: AGServerSocket }
  /** A socket completed its handshake. */
  connection: {
    socket: AGServerSocket
    id: string
    pingTimeout: number
    isAuthenticated: boolean
    authError?: Error
  }
  connectionAbort: SocketEnd
  disconnection: SocketEnd
  closure: SocketEnd
  subscription: { socket: AGServerSocket; channel: string; subscriptionOptions: any }
  unsubscription: { socket: AGServerSocket; channel: string }
  authentication: { socket: AGServerSocket; authToken: AuthToken }
  deauthentication: { socket: AGServerSocket; oldAuthToken: AuthToken | null }
  authenticationStateChange: {
    socket: AGServerSocket
    oldAuthState: AuthState
    newAuthState: AuthState
    authToken?: AuthToken
  }
  badSocketAuthToken: {
    socket: AGServerSocket
    authError: Error
    signedAuthToken: string | null
  }
}

/** Serves SocketCluster clients on an HTTP server. */
export class AGServer extends AsyncStreamEmitter<AGServerEvents> {
  constructor(options?: AGServerOptions)

  static readonly MIDDLEWARE_HANDSHAKE: 'handshake'
  static readonly MIDDLEWARE_INBOUND_RAW: 'inboundRaw'
  static readonly MIDDLEWARE_INBOUND: 'inbound'
  static readonly MIDDLEWARE_OUTBOUND: 'outbound'
  static readonly SYMBOL_MIDDLEWARE_HANDSHAKE_STREAM: symbol
  readonly MIDDLEWARE_HANDSHAKE: 'handshake'
  readonly MIDDLEWARE_INBOUND_RAW: 'inboundRaw'
  readonly MIDDLEWARE_INBOUND: 'inbound'
  readonly MIDDLEWARE_OUTBOUND: 'outbound'
  /** Key on a request which holds its handshake stream. */
  readonly SYMBOL_MIDDLEWARE_HANDSHAKE_STREAM: symbol

  options: AGServerOptions
  httpServer: any
  isReady: boolean
  readonly exchange: Exchange
  /** Publishes later. */
  readonly scheduler: Scheduler
  /** The `brokerEngine` option, or the built-in broker. */
  brokerEngine: Broker
  /** Connected sockets by their id. */
  clients: Record<string, AGServerSocket>
  clientsCount: number
  /** Sockets which have not completed their handshake, by their id. */
  pendingClients: Record<string, AGServerSocket>
  pendingClientsCount: number
  wsServer: any

  auth: AuthEngine
  codec: CodecEngine
  /** Read at each use: assign to rotate keys. */
  signatureKey: AuthKey
  /** Read at each use: assign to rotate keys. */
  verificationKey: AuthKey
  defaultVerificationOptions: Record<string, any>
  defaultSignatureOptions: Record<string, any>

  origins: string
  ackTimeout: number
  handshakeTimeout: number
  pingInterval: number
  pingTimeout: number
  pingTimeoutDisabled: boolean
  allowClientPublish: boolean
  perMessageDeflate: AGServerOptions['perMessageDeflate']
  socketChannelLimit: number | undefined
  protocolVersion: 1 | 2
  strictHandshake: boolean
  middlewareEmitFailures: boolean

  setAuthEngine(authEngine: AuthEngine): void
  setCodecEngine(codecEngine: CodecEngine): void
  /**
   * Sets the function of one middleware line, which consumes the stream of actions of each
   * connection. Throws an `InvalidActionError` if the line has one already.
   */
  setMiddleware<T extends MiddlewareType>(
    type: T,
    middleware: (stream: MiddlewareStreams[T]) => any,
  ): void
  removeMiddleware(type: MiddlewareType): void
  hasMiddleware(type: MiddlewareType): boolean
  emitError(error: Error): void
  emitWarning(warning: Error): void
  generateId(): string
  /** Figures for monitoring. */
  metrics(): ServerMetrics
  getPath(): string
  verifyHandshake(
    info: { req: IncomingMessage; origin: string; secure?: boolean },
    callback: (allowed: boolean, status?: number, message?: string) => void,
  ): Promise<void>
  /**
   * Stops accepting sockets and, unless `keepSocketsOpen`, terminates the connected ones. Does not
   * close the HTTP server. Rejects if the server is closed already. With the `streams` option it also
   * ends consumers and, without the argument, resolves when their handlers are done and another server
   * may use the `storage`.
   */
  close(keepSocketsOpen?: boolean): Promise<void>
}
