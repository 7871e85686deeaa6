import type { Server as HttpServer } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import { AuthEngine, AuthKey, SignAlgorithm } from './auth'
import { BrokerEngine } from './broker'
import { StorageOptions, StreamOptions } from './streams-kept'
import { AGRequest } from './request'
import { AGServerSocket } from './server-socket'

/** Turns packets into messages and back. */
export interface CodecEngine {
  encode(object: any): any
  decode(message: any): any
}

/** How accepted sockets reach the core. */
export type Transport = 'auto' | 'fd' | 'bridge'

/** When the streams of a socket end after it has closed. */
export type StreamCleanupMode = 'kill' | 'close' | 'none'

/** How fast the packets of one client may come. */
export interface MessageRate {
  /** Packets per second in the long run. */
  perSecond: number
  /** Packets that may come at once after a pause. Default: `perSecond`, at least 1. */
  burst?: number
  /**
   * What comes faster waits (`'delay'`), or the client is closed with 1008 (`'close'`).
   * Default `'delay'`.
   */
  policy?: 'delay' | 'close'
}

export interface AGServerOptions {
  /** The HTTP server to serve upgrades of; `attach` and `listen` set it. */
  httpServer?: HttpServer | HttpsServer | any
  /** Default: the built-in broker. */
  brokerEngine?: BrokerEngine
  /**
   * Module name of a WebSocket engine or an object with `Server`; checked, not used. Default `'ws'`.
   */
  wsEngine?: string | { Server: any }
  /**
   * Its `path`, `maxPayload`, `perMessageDeflate` and `handleProtocols` win over the options of these
   * names. Default `{}`.
   */
  wsEngineServerOptions?: Record<string, any>
  /** Largest message in bytes; `null`: 100 MiB. Default `null`. */
  maxPayload?: number | null
  /** Default: off. */
  perMessageDeflate?: boolean | Record<string, any>
  /** Chooses the WebSocket subprotocol. */
  handleProtocols?: (protocols: any, request: any) => string | false
  /** Most channels one socket may subscribe to. Default: no limit. */
  socketChannelLimit?: number
  /** Secret for signing and verifying tokens. Default: 32 random bytes. */
  authKey?: AuthKey
  /** Together with `authPublicKey`. */
  authPrivateKey?: AuthKey
  /** Together with `authPrivateKey`. */
  authPublicKey?: AuthKey
  /** Signs with it, and verifies only it unless `authVerifyAlgorithms` is set. */
  authAlgorithm?: SignAlgorithm
  authVerifyAlgorithms?: SignAlgorithm[]
  /** Seconds a token is valid. Default `86400`. */
  authDefaultExpiry?: number
  authEngine?: AuthEngine
  codecEngine?: CodecEngine
  /** Makes the requests which procedures consume. Default: `new AGRequest(...)`. */
  requestCreator?: (
    socket: AGServerSocket,
    id: number,
    procedureName: string,
    data: any,
  ) => AGRequest | any
  /** Whether clients may publish. Default `true`. */
  allowClientPublish?: boolean
  /** Milliseconds an `invoke` waits for its answer. Default `10000`. */
  ackTimeout?: number
  /** Milliseconds a client has to send its handshake. Default `10000`. */
  handshakeTimeout?: number
  /** Disconnect clients which send something before their handshake. Default `true`. */
  strictHandshake?: boolean
  /** Milliseconds without a pong after which a client is disconnected. Default `30000`. */
  pingTimeout?: number
  /** Milliseconds between pings. Default `8000`. */
  pingInterval?: number
  /** Default `false`. */
  pingTimeoutDisabled?: boolean
  /** Allowed origins: `host:port`, `host:*` or `*:port`. Default `'*:*'`. */
  origins?: string
  /** Default `'/socketcluster/'`. */
  path?: string | null
  /** Default `2`. */
  protocolVersion?: 1 | 2
  /** Send in batches for a while after the handshake. Default `false`. */
  batchOnHandshake?: boolean
  /** Milliseconds. Default `400`. */
  batchOnHandshakeDuration?: number
  /** Milliseconds between two batches. Default `50`. */
  batchInterval?: number
  /** Emit what middleware blocks as errors and warnings. Default `true`. */
  middlewareEmitFailures?: boolean
  /** Default `'kill'`. */
  socketStreamCleanupMode?: StreamCleanupMode
  /** Deep-clone data given to `transmit` and `invoke`. Default `false`. */
  cloneData?: boolean
  /**
   * How accepted sockets reach the core: `'auto'` and `'fd'` hand over the file descriptor wherever
   * that is possible, `'bridge'` passes bytes through Node.js.
   * Default `'auto'`.
   */
  transport?: Transport
  /**
   * Bytes of unsent output above which a connection is dropped; the server reports code 1013. `0`: no
   * limit.
   * Default `16777216` (16 MiB).
   */
  maxBackpressure?: number
  /**
   * What happens above `maxBackpressure`: `'close'` drops the connection; `'drop'` drops messages of
   * channels, as long as what else is unsent does not exceed twice the limit. Both are told by a
   * server `warning` with `code` (`ERR_MAX_BACKPRESSURE`, `ERR_MESSAGES_DROPPED`), `socketId`,
   * `unsent` and `limit`.
   * Default `'close'`.
   */
  backpressurePolicy?: 'close' | 'drop'
  /**
   * Threads that read and write sockets, 1 to 64; each connection belongs to one of them.
   * Default: one per core, 8 at most.
   */
  ioThreads?: number
  /**
   * How long outgoing messages may wait for others to be sent in the same system call, in ms.
   * Default `0`: they do not wait.
   */
  flushDelay?: number
  /**
   * Bytes that the queues of all connections may hold together: messages that are coming in or wait to
   * be handled, and output that sockets have not taken; what many share counts once. Above it, the
   * connection that holds most is dropped (code 1013, server `warning` with `code` `ERR_MAX_MEMORY`,
   * `socketId`, `held` and `limit`). `0`: no limit.
   * Default: half of the memory of the machine, or of its container.
   */
  maxMemory?: number
  /**
   * Most packets in one message; who sends more is closed with 1008. `0`: no limit.
   * Default `0`.
   */
  maxBatchLength?: number
  /**
   * Most levels of arrays and objects in a message; who sends more is closed with 1008. `0`: no limit.
   * Default `10000`.
   */
  maxDepth?: number
  /** How fast the packets of a client may come. Default `null`: no limit. */
  messageRate?: MessageRate | null
  /**
   * A path of the HTTP server, such as `'/metrics'`, that answers with the server's figures as text for
   * Prometheus. Anybody who can reach it can read it.
   * Default: none.
   */
  metricsPath?: string | null
  /**
   * Which channels keep messages or have presence, at most 1000 patterns that do not overlap; an empty
   * array for timers alone. Not together with `brokerEngine`.
   * Default: none. Then there are no streams, timers or consumers.
   */
  streams?: StreamOptions[] | null
  /**
   * Where `durable` channels, timers and the positions of consumers are stored; without it, timers and
   * positions end with the process. Needs `streams`. What cannot be opened is an `InvalidOptionsError`
   * with the `code` `ERR_STORAGE_LOCKED`, `ERR_STORAGE_CORRUPT`, `ERR_STORAGE_VERSION` or
   * `ERR_STORAGE_IO`.
   */
  storage?: StorageOptions | null
  /**
   * Bytes that kept messages, their keys, timers and positions of consumers may take together. Beyond it
   * the `history` channel that was used longest ago gives its messages up; what still does not fit is
   * refused (`ERR_STREAM_FULL`). Needs `streams`.
   * Default `268435456` (256 MiB).
   */
  streamMemory?: number | null
}
