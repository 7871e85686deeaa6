import { AuthState, AuthToken } from './auth'
import { AGChannel, ChannelState } from './channel'
import { ChannelStreams } from './channel-streams'
import { ClientAuthEngine, ClientCodecEngine, ClientOptions } from './client-options'
import { AGRequest } from './request'
import { AsyncStreamEmitter, ConsumerStats, DemuxedConsumableStream } from './streams'

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
}

export interface SubscribeOptions {
  /** Subscribe only while authenticated. Default `false`. */
  waitForAuth?: boolean
  /** Order in which pending subscriptions are processed; the highest first. */
  priority?: number
  /** Passed to the server's middleware. */
  data?: any
}

/** A connection to a server, which comes back by itself. */
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

  transmitPublish(channelName: string, data?: any): Promise<void>
  invokePublish(channelName: string, data?: any): Promise<void>
  subscribe<T = any>(channelName: string, options?: SubscribeOptions): AGChannel<T, AGClientSocket>
  unsubscribe(channelName: string): Promise<void>
  channel<T = any>(channelName: string): AGChannel<T, AGClientSocket>
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
