import {
  History,
  HistoryOptions,
  Member,
  PlacedMessage,
  Presence,
  PublishOptions,
  PublishResult,
  Recovery,
  StreamPosition,
} from './streams-kept'
import { Consumer, ConsumableStream, ConsumerStats, DemuxedConsumableStream } from './streams'

export type ChannelState = 'pending' | 'subscribed' | 'unsubscribed'

/** Events of a channel handle. */
export interface AGChannelEvents {
  subscribe: { subscriptionOptions?: any }
  unsubscribe: {}
  subscribeFail: { error: Error; subscriptionOptions?: any }
  subscribeStateChange: {
    oldChannelState: ChannelState
    newChannelState: ChannelState
    subscriptionOptions?: any
  }
  kickOut: { message?: string }
  /** Each message of a kept channel, with its position. */
  message: PlacedMessage
  /** A subscription that goes on from a position has begun. */
  recover: Recovery
  /** Somebody subscribed to a channel with presence. */
  join: Member
  /** Somebody is not subscribed to a channel with presence any more. */
  leave: Member
}

/** A handle on a channel; iterating it gives the messages published to the channel. */
export class AGChannel<T = any, Client = any> extends ConsumableStream<T> {
  static readonly PENDING: 'pending'
  static readonly SUBSCRIBED: 'subscribed'
  static readonly UNSUBSCRIBED: 'unsubscribed'
  readonly PENDING: 'pending'
  readonly SUBSCRIBED: 'subscribed'
  readonly UNSUBSCRIBED: 'unsubscribed'

  readonly name: string
  readonly client: Client
  readonly state: ChannelState
  readonly options: Record<string, any>

  /** Where the last message stands that came; `undefined` on plain channels and before the first. */
  readonly position: StreamPosition | undefined

  subscribe(options?: {
    waitForAuth?: boolean
    priority?: number
    data?: any
    since?: StreamPosition
  }): void
  unsubscribe(): void
  isSubscribed(includePending?: boolean): boolean
  transmitPublish(data?: any, options?: PublishOptions): Promise<void>
  invokePublish(data?: any, options?: PublishOptions): Promise<PublishResult>
  /** What the channel has kept. */
  history(options?: HistoryOptions): Promise<History<T>>
  /** Who is subscribed. */
  presence<Info = any>(): Promise<Presence<Info>>

  createConsumer(timeout?: number): Consumer<T>
  listener<E extends keyof AGChannelEvents>(
    eventName: E,
  ): DemuxedConsumableStream<AGChannelEvents[E]>
  listener<D = any>(eventName: string): DemuxedConsumableStream<D>

  close(): void
  kill(): void
  closeOutput(): void
  closeListener(eventName: string): void
  closeAllListeners(): void
  killOutput(): void
  killListener(eventName: string): void
  killAllListeners(): void
  killOutputConsumer(consumerId: number): void
  killListenerConsumer(consumerId: number): void

  getOutputConsumerStats(consumerId: number): ConsumerStats | undefined
  getListenerConsumerStats(consumerId: number): ConsumerStats | undefined
  getOutputConsumerStatsList(): ConsumerStats[]
  getListenerConsumerStatsList(eventName: string): ConsumerStats[]
  getAllListenersConsumerStatsList(): ConsumerStats[]

  getBackpressure(): number
  getOutputBackpressure(): number
  getListenerBackpressure(eventName: string): number
  getAllListenersBackpressure(): number
  getOutputConsumerBackpressure(consumerId: number): number
  getListenerConsumerBackpressure(consumerId: number): number

  hasOutputConsumer(consumerId: number): boolean
  hasListenerConsumer(eventName: string, consumerId: number): boolean
  hasAnyListenerConsumer(consumerId: number): boolean
}
