import { AsyncStreamEmitter } from './streams'

/** Where a message stands in a channel that keeps its messages. */
export interface StreamPosition {
  /** An opaque word. With another one, offsets mean something else: messages may have been lost. */
  epoch: string
  /** 1 for the first message of an epoch, then one more for each. */
  offset: number
}

/** What is kept of the channels that a pattern matches. */
export interface StreamOptions {
  /**
   * A channel's name, or a pattern: `*` stands for any characters, also none and also `/`. No two
   * patterns may match the same name.
   */
  match: string
  /**
   * `plain`: nothing is kept. `history`: the latest messages, in memory. `durable`: the latest
   * messages, on disk; a message is acknowledged and delivered when it is stored. `replicated` is
   * not available yet (`ERR_CLASS_UNAVAILABLE`).
   */
  class: 'plain' | 'history' | 'durable' | 'replicated'
  /** Messages kept per channel. Default `1000`. */
  size?: number
  /** Milliseconds a message is kept; `0`: whatever its age. Default `0`. */
  age?: number
  /**
   * Bytes of payloads kept per channel; a message with more is refused (`ERR_MESSAGE_TOO_LARGE`).
   * Default `1048576` (1 MiB).
   */
  bytes?: number
  /** Whether subscribers see who is subscribed. Default `false`. */
  presence?: boolean
}

/** Where streams, timers and the positions of consumers are stored. */
export interface StorageOptions {
  /** Made if it is not there; only one server at a time may use it. */
  directory: string
}

/** How a message is published. */
export interface PublishOptions {
  /**
   * 1 to 256 characters. A key that the channel has seen lately (10,000 keys or 2 minutes, whichever
   * is less) is not published again. For kept channels, and with `delay` or `at`.
   */
  key?: string
  /** Milliseconds to wait; at most ten years. Not together with `at`. */
  delay?: number
  /** Unix time in milliseconds. Not together with `delay`. */
  at?: number
}

/** Where a message of a kept channel went. */
export interface PublishedPosition extends StreamPosition {
  /** The key had been seen: this is the position of the message it came with then. */
  duplicate?: true
}

/** A message that is to be published. */
export interface Scheduled {
  /** For `scheduler.cancel`. */
  id: string
  /** Unix time in milliseconds. */
  due: number
}

/** `undefined` on a plain channel, if it was published at once. */
export type PublishResult = PublishedPosition | Scheduled | undefined

export interface HistoryOptions {
  /** 1 to 1000. Default `100`. */
  limit?: number
  /** Messages after it; with `reverse` those before it. */
  since?: StreamPosition
  /** The newest first. Default `false`. */
  reverse?: boolean
}

export interface HistoryMessage<T = any> {
  /** Absent if it was published without. */
  data?: T
  offset: number
  /** Unix time in milliseconds. */
  timestamp: number
}

export interface History<T = any> extends StreamPosition {
  /** At most 1 MiB of payloads, or one message. */
  messages: HistoryMessage<T>[]
  /** Whether there are further messages in the direction asked for. */
  more: boolean
  /**
   * Offset up to which messages were looked for. Only in answers to a client of a server with
   * outbound middleware, which may have left messages out.
   */
  until?: number
}

export interface Member<Info = any> {
  /** Of the socket. */
  id: string
  /** The `data` of its subscription, if there was any. */
  info?: Info
}

export interface Presence<Info = any> {
  /** At most 1000 of them. */
  members: Member<Info>[]
  /** All of them. */
  count: number
}

/** What the exchange's subscription with `since` began with. */
export interface Recovery {
  /** Whether all messages since then follow; if not, some may have been missed for good. */
  recovered: boolean
  /** Where the channel stood; absent on plain channels. */
  epoch?: string
  offset?: number
}

/** A message with its position. */
export interface PlacedMessage<T = any> extends StreamPosition {
  data: T
}

export interface ConsumeOptions {
  /** A channel of class `history` or `durable`. */
  channel: string
  /**
   * Where a consumer begins that has no position yet: with the next message, the oldest that is
   * kept, or what follows a position. Default `'latest'`.
   */
  from?: 'latest' | 'earliest' | StreamPosition
  /** Messages handled at a time, 1 to 1000. With `1` they are handled in order. Default `1`. */
  concurrency?: number
  /** Milliseconds the handler may take. Default `30000`. */
  ackTimeout?: number
  /** How often a message is handed to the handler at most. Default `5`. */
  maxDeliveries?: number
  /** Milliseconds before the second delivery; doubled before each further one, up to a minute. Default `1000`. */
  retryDelay?: number
  /**
   * Channel that gets a `DeadLetter` for each message whose last delivery has failed. Default: none;
   * the message is dropped and the consumer emits `error`.
   */
  deadLetter?: string
}

/** What a consumer's handler gets. */
export interface ConsumedMessage<T = any> extends StreamPosition {
  data: T
  channel: string
  /** 1 for the first; counts from there again after a restart. */
  delivery: number
  /** Unix time in milliseconds at which it was published. */
  timestamp: number
}

/**
 * Resolves once the message is done with. `signal` is aborted after `ackTimeout`; the message is then
 * delivered again, whatever the handler still does.
 */
export type ConsumeHandler<T = any> = (message: ConsumedMessage<T>, signal: AbortSignal) => any

export interface DeadLetter<T = any> extends StreamPosition {
  /** Name of the consumer. */
  consumer: string
  channel: string
  deliveries: number
  error: { name: string; message: string }
  data?: T
}

export interface DurableConsumerEvents<T = any> {
  /**
   * A message was dropped (with its position), or the core refused something, which is tried again.
   * With no listener it is a `warning` of the server's.
   */
  error: { error: any; epoch?: string; offset?: number }
  deadLetter: DeadLetter<T>
  /** A delivery failed; the next one follows after `delay` milliseconds. */
  redelivery: StreamPosition & { delivery: number; delay: number; error: any }
  /** Messages between these positions were gone before the consumer came to them. */
  gap: { from: StreamPosition; to: StreamPosition }
}

export interface DurableConsumerStats {
  /** Calls of the handler. */
  delivered: number
  /** Messages done with, those of `deadLettered` and `dropped` included. */
  acked: number
  /** Calls of the handler for a message it had failed with. */
  redelivered: number
  deadLettered: number
  dropped: number
  /** Messages under way, those that wait for another delivery included. */
  inFlight: number
  /** Messages that were read and wait. */
  buffered: number
  /** Messages of the channel that are not done with; unknown in the beginning and after a gap. */
  behind: number | undefined
}

/** A named consumer of a kept channel: `exchange.consume`. */
export class DurableConsumer<T = any> extends AsyncStreamEmitter<DurableConsumerEvents<T>> {
  protected constructor()
  readonly name: string
  readonly channel: string
  /** Every message up to here is done with; `undefined` until the consumer knows where it begins. */
  readonly position: StreamPosition | undefined
  stats(): DurableConsumerStats
  /**
   * Takes on no more messages. Resolves when those under way are done and the position is stored;
   * may be called again.
   */
  close(): Promise<void>
}

/**
 * What streams, timers and presence fail with. `code` is one of `ERR_NOT_KEPT`, `ERR_BAD_POSITION`,
 * `ERR_POSITION_LOST`, `ERR_NOT_SUBSCRIBED`, `ERR_NO_PRESENCE`, `ERR_BAD_KEY`, `ERR_BAD_SCHEDULE`,
 * `ERR_TOO_MANY_TIMERS`, `ERR_MESSAGE_TOO_LARGE`, `ERR_STREAM_FULL`, `ERR_STREAM_BUSY`, `ERR_STORAGE`,
 * `ERR_BAD_REQUEST`, `ERR_BAD_CRON`, `ERR_UNKNOWN_CONSUMER`, `ERR_NO_STREAMS`, `ERR_CLOSED`.
 */
export class StreamError extends Error {
  constructor(message: string, code: string)
  name: 'StreamError'
  code: string
}
