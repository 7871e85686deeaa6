import type { IncomingMessage } from 'node:http'
import { AuthInfo, AuthToken } from './auth'
import { AGServerSocket } from './server-socket'
import { WritableConsumableStream } from './streams'
import { StreamPosition } from './streams-kept'

/** What may be given to `allow`. */
export interface AllowPacket<Data = any> {
  /** Replaces the data of the action. */
  data?: Data
  /** `useCache`: send the frame that was encoded once for all subscribers. */
  options?: { useCache?: boolean; [option: string]: any } | null
}

/** What may be given to `block`; `silent` keeps the error from the client. */
export type BlockError =
  | Error
  | { silent?: boolean; statusCode?: number; [key: string]: any }
  | string

/** Something a middleware decides about, with `allow` or `block`, exactly once. */
export class AGAction<Type extends string = string, Data = any> {
  static readonly HANDSHAKE_WS: 'handshakeWS'
  static readonly HANDSHAKE_SC: 'handshakeSC'
  static readonly MESSAGE: 'message'
  static readonly TRANSMIT: 'transmit'
  static readonly INVOKE: 'invoke'
  static readonly SUBSCRIBE: 'subscribe'
  static readonly PUBLISH_IN: 'publishIn'
  static readonly PUBLISH_OUT: 'publishOut'
  static readonly AUTHENTICATE: 'authenticate'
  static readonly HISTORY: 'history'
  static readonly PRESENCE: 'presence'
  readonly HANDSHAKE_WS: 'handshakeWS'
  readonly HANDSHAKE_SC: 'handshakeSC'
  readonly MESSAGE: 'message'
  readonly TRANSMIT: 'transmit'
  readonly INVOKE: 'invoke'
  readonly SUBSCRIBE: 'subscribe'
  readonly PUBLISH_IN: 'publishIn'
  readonly PUBLISH_OUT: 'publishOut'
  readonly AUTHENTICATE: 'authenticate'
  readonly HISTORY: 'history'
  readonly PRESENCE: 'presence'

  type: Type
  outcome: null | 'allowed' | 'blocked'
  /** Settled by `allow` and `block`. */
  promise: Promise<AllowPacket<Data> | undefined>
  /** May be called detached from the action. */
  allow: (packet?: AllowPacket<Data>) => void
  /** May be called detached from the action. */
  block: (error?: BlockError) => void
}

export interface HandshakeWSAction extends AGAction<'handshakeWS'> {
  request: IncomingMessage
}

export interface HandshakeSCAction extends AGAction<'handshakeSC', AuthInfo> {
  request: IncomingMessage
  socket: AGServerSocket
  data: AuthInfo
}

export interface MessageAction extends AGAction<'message', string | Buffer> {
  socket: AGServerSocket
  data: string | Buffer
}

/** Set on inbound actions of a socket whose token has just expired. */
interface WithTokenExpiry {
  authTokenExpiredError?: Error
}

export interface TransmitAction<Data = any> extends AGAction<'transmit', Data>, WithTokenExpiry {
  socket: AGServerSocket
  receiver: string
  data: Data
}

export interface InvokeAction<Data = any> extends AGAction<'invoke', Data>, WithTokenExpiry {
  socket: AGServerSocket
  procedure: string
  data: Data
}

export interface SubscribeAction<Data = any> extends AGAction<'subscribe', Data>, WithTokenExpiry {
  socket: AGServerSocket
  channel: string
  data: Data
  /** Where the client wants to go on; as it sent it, and only with the `streams` option. */
  since?: StreamPosition
}

/** `key`, `delay` and `at` are as the client sent them, and there only with the `streams` option. */
export interface PublishInAction<Data = any> extends AGAction<'publishIn', Data>, WithTokenExpiry {
  socket: AGServerSocket
  channel: string
  data: Data
  key?: string
  delay?: number
  at?: number
}

/** A client asks for messages that a channel has kept; what it wants is as it sent it. */
export interface HistoryAction extends AGAction<'history'>, WithTokenExpiry {
  socket: AGServerSocket
  channel: string
  limit?: number
  since?: StreamPosition
  reverse?: boolean
}

/** A client asks who is subscribed to a channel. */
export interface PresenceAction extends AGAction<'presence'>, WithTokenExpiry {
  socket: AGServerSocket
  channel: string
}

export interface AuthenticateAction extends AGAction<'authenticate'> {
  socket: AGServerSocket
  signedAuthToken: string | null
  authToken: AuthToken | null
}

export interface PublishOutAction<Data = any> extends AGAction<'publishOut', Data> {
  socket: AGServerSocket
  channel: string
  data: Data
}

export type HandshakeAction = HandshakeWSAction | HandshakeSCAction
export type InboundRawAction = MessageAction
export type InboundAction =
  | TransmitAction
  | InvokeAction
  | SubscribeAction
  | PublishInAction
  | HistoryAction
  | PresenceAction
  | AuthenticateAction
export type OutboundAction = PublishOutAction
export type AnyAction = HandshakeAction | InboundRawAction | InboundAction | OutboundAction

/** The stream a middleware function consumes. */
export class MiddlewareStream<
  Action = AnyAction,
  Type = string,
> extends WritableConsumableStream<Action> {
  readonly type: Type
}

/** Each middleware line and the stream its function receives. */
export interface MiddlewareStreams {
  handshake: MiddlewareStream<HandshakeAction, 'handshake'>
  inboundRaw: MiddlewareStream<InboundRawAction, 'inboundRaw'>
  inbound: MiddlewareStream<InboundAction, 'inbound'>
  outbound: MiddlewareStream<OutboundAction, 'outbound'>
}

export type MiddlewareType = keyof MiddlewareStreams
