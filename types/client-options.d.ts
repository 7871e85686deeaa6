/** Keeps the client's token between sessions; pass your own as the `authEngine` option. */
export interface ClientAuthEngine {
  saveToken(name: string, token: string, options?: any): Promise<any>
  removeToken(name: string): Promise<any>
  loadToken(name: string): Promise<string | null>
}

/** Turns packets into messages and back. */
export interface ClientCodecEngine {
  encode(object: any): any
  decode(message: any): any
}

/** Milliseconds, except for `multiplier`. */
export interface AutoReconnectOptions {
  /** Default `10000`. */
  initialDelay?: number
  /** Upper bound of a random addition to the delay. Default `10000`. */
  randomness?: number
  /** Default `1.5`. */
  multiplier?: number
  /** Default `60000`. */
  maxDelay?: number
}

export interface ClientOptions {
  /** `hostname:port`; instead of `hostname` and `port`. */
  host?: string
  /** Default: the page's host name, or `'localhost'`. */
  hostname?: string
  /** Default: the page's port, or 443 or 80. */
  port?: number | string
  /** Use TLS. Default: as the page does. */
  secure?: boolean
  /** Default `'/socketcluster/'`. */
  path?: string
  /** Replaces `ws` or `wss` in the URI, together with `socketPath`. */
  protocolScheme?: string | null
  /** Path of a UNIX socket. */
  socketPath?: string | null
  query?: string | Record<string, string | string[]>
  /** Default `2`. */
  protocolVersion?: 1 | 2
  /** Default: a random UUID. */
  clientId?: string
  /** Default `true`. */
  autoConnect?: boolean
  /** Default `true`. */
  autoReconnect?: boolean
  autoReconnectOptions?: AutoReconnectOptions
  /** Default `true`. */
  autoSubscribeOnConnect?: boolean
  subscriptionRetryOptions?: Record<string, any>
  /** Milliseconds. Default `20000`. */
  connectTimeout?: number
  /** Milliseconds an `invoke` waits for its answer. Default `10000`. */
  ackTimeout?: number
  /** Default `false`. */
  pingTimeoutDisabled?: boolean
  /** Add a timestamp to the URI. Default `false`. */
  timestampRequests?: boolean
  /** Default `'t'`. */
  timestampParam?: string
  /** Default `'arraybuffer'`. */
  binaryType?: string
  /** Default `false`. */
  batchOnHandshake?: boolean
  /** Milliseconds. Default `100`. */
  batchOnHandshakeDuration?: number
  /** Milliseconds. Default `50`. */
  batchInterval?: number
  /** Where the token is kept. Default: made from the host. */
  authTokenName?: string
  authEngine?: ClientAuthEngine
  codecEngine?: ClientCodecEngine
  /** Put before every channel name on the wire. */
  channelPrefix?: string | null
  /** Options for the WebSocket (not in browsers), such as `headers`. Default `{}`. */
  wsOptions?: Record<string, any>
  /** Deep-clone data given to `transmit` and `invoke`. Default `false`. */
  cloneData?: boolean
}
