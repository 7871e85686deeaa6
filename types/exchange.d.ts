import { AGChannel } from './channel'
import { ChannelStreams } from './channel-streams'
import { AsyncStreamEmitter } from './streams'
import {
  ConsumeHandler,
  ConsumeOptions,
  DurableConsumer,
  History,
  HistoryOptions,
  Presence,
  PublishOptions,
  PublishResult,
  StreamPosition,
} from './streams-kept'

export interface ExchangeEvents {
  subscribe: { channel: string }
  unsubscribe: { channel: string }
}

/** How server code publishes to channels and subscribes to them itself (`server.exchange`). */
export class Exchange extends AsyncStreamEmitter<ExchangeEvents> {
  readonly id: string
  /** Subscribes to a channel, unless the exchange already is, and returns a handle on it. */
  subscribe<T = any>(
    channelName: string,
    options?: {
      /**
       * Go on after this position: what has been published since comes first, if the channel still
       * has it. The channel is `pending` until the listener `recover` tells. Needs the `streams`
       * option (`ERR_NO_STREAMS`); what is no position is an `ERR_BAD_POSITION`.
       */
      since?: StreamPosition
    },
  ): AGChannel<T, Exchange>
  unsubscribe(channelName: string): Promise<void>
  /** A handle on a channel, subscribed or not. */
  channel<T = any>(channelName: string): AGChannel<T, Exchange>
  subscriptions(includePending?: boolean): string[]
  isSubscribed(channelName: string, includePending?: boolean): boolean
  /** Like `invokePublish`, without waiting: what goes wrong is an `error` of the broker's. */
  transmitPublish(channelName: string, data?: any, options?: PublishOptions): Promise<void>
  /**
   * Resolves with the position on a kept channel, once it is kept; with the timer, given a `delay` or
   * `at`. Rejects with a `StreamError`: `ERR_NOT_KEPT` (a key on a plain channel), `ERR_BAD_KEY`,
   * `ERR_BAD_SCHEDULE`, `ERR_TOO_MANY_TIMERS`, `ERR_MESSAGE_TOO_LARGE`, `ERR_STREAM_FULL`,
   * `ERR_STREAM_BUSY`, `ERR_STORAGE`, `ERR_NO_STREAMS` (options without the `streams` option),
   * `ERR_BAD_REQUEST` (options while a publish method of the broker is replaced).
   */
  invokePublish(channelName: string, data?: any, options?: PublishOptions): Promise<PublishResult>
  /**
   * What a kept channel has. Rejects with a `StreamError`: `ERR_NOT_KEPT`, `ERR_POSITION_LOST` (it no
   * longer has what follows `since`), `ERR_BAD_POSITION`, `ERR_BAD_REQUEST`, `ERR_NO_STREAMS`.
   */
  history<T = any>(channelName: string, options?: HistoryOptions): Promise<History<T>>
  /** Who is subscribed. Rejects with a `StreamError`: `ERR_NO_PRESENCE`, `ERR_NO_STREAMS`. */
  presence<Info = any>(channelName: string): Promise<Presence<Info>>
  /**
   * Has `handler` see every message of a kept channel at least once, also across restarts of a server
   * with the `storage` option.
   * @param name 1 to 128 characters; of all consumers of one name and channel only one may be open
   * @throws {StreamError} `ERR_NOT_KEPT`, `ERR_BAD_REQUEST`, `ERR_BAD_POSITION`, `ERR_NO_STREAMS`
   */
  consume<T = any>(
    name: string,
    options: ConsumeOptions,
    handler: ConsumeHandler<T>,
  ): DurableConsumer<T>
  getBackpressure(): number
  /** Called by the broker with each publication (`event` is `'#publish'`). */
  transmit(event: string, packet: { channel: string; data: any }): void
  /** Ends all loops over events of the broker. */
  destroy(): void
}

export interface Exchange extends ChannelStreams {}
