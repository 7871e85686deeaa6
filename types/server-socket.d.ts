import type { IncomingMessage } from 'node:http'
import {
  HandshakeAction,
  InboundAction,
  InboundRawAction,
  MiddlewareStream,
  OutboundAction,
} from './action'
import { AuthState, AuthToken, SetAuthTokenOptions } from './auth'
import { Exchange } from './exchange'
import { AGRequest } from './request'
import { AGServer } from './server'
import {
  AsyncStreamEmitter,
  ConsumerStats,
  DemuxedConsumableStream,
  WritableConsumableStream,
} from './streams'

export type SocketState = 'connecting' | 'open' | 'closed'

interface CloseInfo {
  code: number
  reason: string
}

/** Events of a server socket, in the order in which they happen to it. */
export interface AGServerSocketEvents {
  error: { error: Error }
  /** Every incoming frame; a string, or a Buffer for a binary frame. */
  message: { message: string | Buffer }
  /** An incoming message which is not a packet of the protocol. */
  raw: { message: any }
  connect: { id: string; pingTimeout: number; isAuthenticated: boolean; authError?: Error }
  /** The socket closed before its handshake was complete. */
  connectAbort: CloseInfo
  disconnect: CloseInfo
  close: CloseInfo
  /** All subscriptions are undone; the streams of the socket end after this. */
  end: {}
  subscribe: { channel: string; subscriptionOptions: any }
  unsubscribe: { channel: string }
  authStateChange: { oldAuthState: AuthState; newAuthState: AuthState; authToken?: AuthToken }
  authenticate: { authToken: AuthToken }
  deauthenticate: { oldAuthToken: AuthToken | null }
  authTokenSigned: { signedAuthToken: string }
  badAuthToken: { authError: Error; signedAuthToken: string | null }
}

export interface TransmitOptions {
  /** Send `stringifiedData` instead of encoding the packet. */
  useCache?: boolean
  stringifiedData?: any
}

export interface InvokeOptions extends TransmitOptions {
  /** Milliseconds; default: `server.ackTimeout`. */
  ackTimeout?: number
}

/** The WebSocket below a server socket. */
export interface RawSocket {
  readonly bytesReceived?: number
  readonly readyState?: number
  send(data: any, options?: any, callback?: (error?: Error) => void): void
  close(code?: number, reason?: string): void
  terminate(): void
  on(eventName: string, handler: (...args: any[]) => void): any
  [property: string]: any
}

/** One connected client, as the server sees it. */
export class AGServerSocket extends AsyncStreamEmitter<AGServerSocketEvents> {
  protected constructor(id: string, server: AGServer, socket: RawSocket, protocolVersion: 1 | 2)

  static readonly CONNECTING: 'connecting'
  static readonly OPEN: 'open'
  static readonly CLOSED: 'closed'
  static readonly AUTHENTICATED: 'authenticated'
  static readonly UNAUTHENTICATED: 'unauthenticated'
  /** Close codes which are not errors, with their texts. */
  static readonly ignoreStatuses: Record<number, string>
  /** Close codes which are errors, with their texts. */
  static readonly errorStatuses: Record<number, string>
  readonly CONNECTING: 'connecting'
  readonly OPEN: 'open'
  readonly CLOSED: 'closed'
  readonly AUTHENTICATED: 'authenticated'
  readonly UNAUTHENTICATED: 'unauthenticated'

  readonly id: string
  readonly server: AGServer
  exchange: Exchange
  socket: RawSocket
  request: IncomingMessage
  remoteAddress: string | undefined
  remoteFamily: string | undefined
  remotePort: number | undefined
  forwardedForAddress?: string
  state: SocketState
  authState: AuthState
  authToken: AuthToken | null
  signedAuthToken: string | null
  protocolVersion: 1 | 2
  channelSubscriptions: Record<string, true>
  channelSubscriptionsCount: number
  cloneData: boolean
  createRequest: (
    socket: AGServerSocket,
    id: number,
    procedureName: string,
    data: any,
  ) => AGRequest | any
  defaultRequestCreator(
    socket: AGServerSocket,
    id: number,
    procedureName: string,
    data: any,
  ): AGRequest<any, AGServerSocket>

  isBufferingBatch: boolean
  isBatching: boolean
  batchOnHandshake: boolean
  batchOnHandshakeDuration: number
  batchInterval: number

  inboundReceivedMessageCount: number
  inboundProcessedMessageCount: number
  outboundPreparedMessageCount: number
  outboundSentMessageCount: number

  inboundMessageStream: WritableConsumableStream<any>
  outboundPacketStream: WritableConsumableStream<any>
  middlewareHandshakeStream: MiddlewareStream<HandshakeAction, 'handshake'>
  middlewareInboundRawStream: MiddlewareStream<InboundRawAction, 'inboundRaw'>
  middlewareInboundStream: MiddlewareStream<InboundAction, 'inbound'>
  middlewareOutboundStream: MiddlewareStream<OutboundAction, 'outbound'>

  /** Sends an event which expects no answer. */
  transmit(event: string, data?: any, options?: TransmitOptions): Promise<void>
  /** Calls a procedure of the client. */
  invoke<Result = any>(event: string, data?: any, options?: InvokeOptions): Promise<Result>
  /** Sends a frame as it is. */
  send(data: any, options?: any): void
  sendObject(object: any, options?: any): void
  serializeObject(object: any): any
  encode(object: any): any
  decode(message: any): any
  disconnect(code?: number, reason?: string): Promise<void>
  /** Drops the connection without a close frame. */
  terminate(): void
  getState(): SocketState
  getBytesReceived(): number
  emitError(error: Error): void

  setAuthToken(data: object, options?: SetAuthTokenOptions): Promise<void>
  getAuthToken(): AuthToken | null
  /** Deauthenticates here and on the client. */
  deauthenticate(options?: { rejectOnFailedDelivery?: boolean }): Promise<void>
  /** Deauthenticates here without telling the client. */
  deauthenticateSelf(): void
  triggerAuthenticationEvents(oldAuthState: AuthState): void
  isAuthTokenExpired(token: AuthToken | null): boolean

  /** Unsubscribes the client from a channel, several, or (without `channel`) all. */
  kickOut(channel?: string | string[], message?: string): Promise<any>
  subscriptions(): string[]
  isSubscribed(channel: string): boolean

  startBatch(): void
  flushBatch(): void
  cancelBatch(): void
  startBatching(): void
  stopBatching(): void
  cancelBatching(): void

  getBackpressure(): number
  getInboundBackpressure(): number
  getOutboundBackpressure(): number

  /** The data of the events the client transmits under a name. */
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

  /** The requests the client invokes under a name. */
  procedure<Data = any>(
    procedureName: string,
  ): DemuxedConsumableStream<AGRequest<Data, AGServerSocket>>
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

  closeAllMiddlewares(): void
  closeInput(): void
  closeOutput(): void
  closeIO(): void
  closeAllStreams(): void
  killAllMiddlewares(): void
  killInput(): void
  killOutput(): void
  killIO(): void
  killAllStreams(): void
}
