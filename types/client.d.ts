import { AuthState, AuthToken } from './auth'
import { ChannelState } from './channel'
import { ChannelStreams } from './channel-streams'
import { AGClientChannel, ChannelRecovery } from './client-channel'
import { ClientAuthEngine, ClientCodecEngine, ClientOptions } from './client-options'
import { AGRequest } from './request'
import { AsyncStreamEmitter, ConsumerStats, DemuxedConsumableStream } from './streams'
import {
  History,
  HistoryOptions,
  Presence,
  PublishedPosition,
  PublishOptions,
  PublishResult,
  Scheduled,
  StreamPosition,
} from './streams-kept'

export * from './client-options'

/** Events of a client socket. */
export interface AGClientSocketEvents {
  error: { error: Error }
  connecting: {}
  connect: {
    id: string
    pingTimeout: number
    isAuthenticated: boolean
    authToken?: string
    authError?: Error
    processPendingSubscriptions: () => void
  }
  connectAbort: { code: number; reason?: string }
  disconnect: { code: number; reason?: string }
  close: { code: number; reason?: string }
  message: { message: any }
  raw: { message: any }
  kickOut: { channel: string; message?: string }
  subscribe: { channel: string; subscriptionOptions: any }
  subscribeFail: { error: Error; channel: string; subscriptionOptions: any }
  subscribeRequest: { channel: string; subscriptionOptions: any }
  subscribeStateChange: {
    channel: string
    oldChannelState: ChannelState
    newChannelState: ChannelState
    subscriptionOptions?: any
  }
  unsubscribe: { channel: string }
  authStateChange: {
    oldAuthState: AuthState
    newAuthState: AuthState
    signedAuthToken?: string
    authToken?: AuthToken | null
  }
  authenticate: { signedAuthToken: string; authToken: AuthToken | null }
  deauthenticate: { oldSignedAuthToken: string | null; oldAuthToken: AuthToken | null }
  removeAuthToken: { oldAuthToken: string | null }
  /** How a channel goes on after an interruption or a gap, or from a `since`. */
  recover: ChannelRecovery
}

export interface SubscribeOptions {
  /** Subscribe only while authenticated. Default `false`. */
  waitForAuth?: boolean
  /** Order in which pending subscriptions are processed; the highest first. */
  priority?: number
  /** Passed to the server's middleware; on channels with presence also what others see of a member. */
  data?: any
  /**
   * Begin after this position of a kept channel, such as one the app has stored: what has been
   * published since is handed over first. Without effect on a channel that is subscribed already. If
   * it is malformed, the subscription fails with `ERR_BAD_POSITION`.
   */
  since?: StreamPosition | null
}

/** A connection to a server, which comes back by itself and, on kept channels, goes on where it was. */
export class AGClientSocket extends AsyncStreamEmitter<AGClientSocketEvents> {
  constructor(options?: ClientOptions)

  static readonly CONNECTING: 'connecting'
  static readonly OPEN: 'open'
  static readonly CLOSED: 'closed'
  static readonly AUTHENTICATED: 'authenticated'
  static readonly UNAUTHENTICATED: 'unauthenticated'
  static readonly SUBSCRIBED: 'subscribed'
  static readonly PENDING: 'pending'
  static readonly UNSUBSCRIBED: 'unsubscribed'
  static readonly ignoreStatuses: Record<number, string>
  static readonly errorStatuses: Record<number, string>
  readonly CONNECTING: 'connecting'
  readonly OPEN: 'open'
  readonly CLOSED: 'closed'
  readonly AUTHENTICATED: 'authenticated'
  readonly UNAUTHENTICATED: 'unauthenticated'
  readonly SUBSCRIBED: 'subscribed'
  readonly PENDING: 'pending'
  readonly UNSUBSCRIBED: 'unsubscribed'

  readonly options: ClientOptions & Record<string, any>
  /** The id the server gave the connection; `null` while not connected. */
  id: string | null
  clientId: string
  version: string | null
  protocolVersion: 1 | 2
  state: 'connecting' | 'open' | 'closed'
  authState: AuthState
  authToken: AuthToken | null
  signedAuthToken: string | null
  authTokenName: string
  auth: ClientAuthEngine
  codec: ClientCodecEngine
  transport: any
  wsOptions: Record<string, any>
  channelPrefix: string | null
  connectTimeout: number
  ackTimeout: number
  pingTimeout: number
  pingTimeoutDisabled: boolean
  connectAttempts: number
  pendingReconnect: boolean
  pendingReconnectTimeout: number | null
  preparingPendingSubscriptions: boolean
  isBatching: boolean
  readonly isBufferingBatch: boolean
  batchOnHandshake: boolean
  batchOnHandshakeDuration: number

  uri(): string
  connect(options?: ClientOptions): void
  reconnect(code?: number, reason?: string): void
  disconnect(code?: number, reason?: string): void
  getState(): 'connecting' | 'open' | 'closed'
  getBytesReceived(): number
  getBackpressure(): number

  /** Sends an event which expects no answer. */
  transmit(event: string, data?: any, options?: { ackTimeout?: number }): Promise<void>
  /** Calls a procedure of the server. */
  invoke<Result = any>(
    event: string,
    data?: any,
    options?: { ackTimeout?: number; noTimeout?: boolean },
  ): Promise<Result>
  send(data: any): void
  encode(object: any): any
  decode(message: any): any
  encodeBase64(text: string): string
  decodeBase64(encoded: string): string

  /** Publishes without waiting for an answer. */
  transmitPublish(channelName: string, data?: any, options?: PublishOptions): Promise<void>
  /**
   * Publishes, and resolves when the server has accepted it: with the position on a kept channel, with
   * the timer given `delay` or `at`. Rejects with a `StreamError`, among them `ERR_NOT_KEPT` if the
   * server has published but ignored the options.
   */
  invokePublish(
    channelName: string,
    data: any,
    options: PublishOptions & ({ delay: number } | { at: number }),
  ): Promise<Scheduled>
  invokePublish(
    channelName: string,
    data: any,
    options: PublishOptions & { key: string },
  ): Promise<PublishedPosition>
  invokePublish(channelName: string, data?: any, options?: PublishOptions): Promise<PublishResult>
  /**
   * What a kept channel has; only for its subscribers. Rejects with a `StreamError`: `ERR_NOT_KEPT`,
   * `ERR_NOT_SUBSCRIBED`, `ERR_POSITION_LOST` (it no longer has what follows `since`).
   */
  history<T = any>(channelName: string, options?: HistoryOptions): Promise<History<T>>
  /**
   * Who is subscribed; only for subscribers. Rejects with a `StreamError`: `ERR_NO_PRESENCE`,
   * `ERR_NOT_SUBSCRIBED`.
   */
  presence<Info = any>(channelName: string): Promise<Presence<Info>>
  subscribe<T = any>(channelName: string, options?: SubscribeOptions): AGClientChannel<T>
  /** Also forgets where the channel stood. */
  unsubscribe(channelName: string): Promise<void>
  channel<T = any>(channelName: string): AGClientChannel<T>
  subscriptions(includePending?: boolean): string[]
  isSubscribed(channelName: string, includePending?: boolean): boolean
  processPendingSubscriptions(): void

  authenticate(
    signedAuthToken: string,
  ): Promise<{ isAuthenticated: boolean; authError: Error | null }>
  deauthenticate(): Promise<void>
  getAuthToken(): AuthToken | null
  getSignedAuthToken(): string | null

  startBatch(): void
  flushBatch(): void
  cancelBatch(): void
  startBatching(): void
  stopBatching(): void
  cancelBatching(): void

  /** The data of the events the server transmits under a name. */
  receiver<Data = any>(receiverName: string): DemuxedConsumableStream<Data>
  closeReceiver(receiverName: string): void
  closeAllReceivers(): void
  killReceiver(receiverName: string): void
  killAllReceivers(): void
  killReceiverConsumer(consumerId: number): void
  getReceiverConsumerStats(consumerId: number): ConsumerStats | undefined
  getReceiverConsumerStatsList(receiverName: string): ConsumerStats[]
  getAllReceiversConsumerStatsList(): ConsumerStats[]
  getReceiverBackpressure(receiverName: string): number
  getAllReceiversBackpressure(): number
  getReceiverConsumerBackpressure(consumerId: number): number
  hasReceiverConsumer(receiverName: string, consumerId: number): boolean
  hasAnyReceiverConsumer(consumerId: number): boolean

  /** The requests the server invokes under a name. */
  procedure<Data = any>(procedureName: string): DemuxedConsumableStream<AGRequest<Data, any>>
  closeProcedure(procedureName: string): void
  closeAllProcedures(): void
  killProcedure(procedureName: string): void
  killAllProcedures(): void
  killProcedureConsumer(consumerId: number): void
  getProcedureConsumerStats(consumerId: number): ConsumerStats | undefined
  getProcedureConsumerStatsList(procedureName: string): ConsumerStats[]
  getAllProceduresConsumerStatsList(): ConsumerStats[]
  getProcedureBackpressure(procedureName: string): number
  getAllProceduresBackpressure(): number
  getProcedureConsumerBackpressure(consumerId: number): number
  hasProcedureConsumer(procedureName: string, consumerId: number): boolean
  hasAnyProcedureConsumer(consumerId: number): boolean
}

export interface AGClientSocket extends ChannelStreams {}

/** Makes a client socket and, unless `autoConnect` is false, connects it. */
export function create(options?: ClientOptions): AGClientSocket

export const factory: { create(options?: ClientOptions & { version?: string }): AGClientSocket }

export const version: string
