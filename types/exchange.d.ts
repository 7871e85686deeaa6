import { AGChannel } from './channel'
import { ChannelStreams } from './channel-streams'
import { AsyncStreamEmitter } from './streams'

export interface ExchangeEvents {
  subscribe: { channel: string }
  unsubscribe: { channel: string }
}

/** How server code publishes to channels and subscribes to them itself (`server.exchange`). */
export class Exchange extends AsyncStreamEmitter<ExchangeEvents> {
  readonly id: string
  /** Subscribes to a channel, unless the exchange already is, and returns a handle on it. */
  subscribe<T = any>(channelName: string): AGChannel<T, Exchange>
  unsubscribe(channelName: string): Promise<void>
  /** A handle on a channel, subscribed or not. */
  channel<T = any>(channelName: string): AGChannel<T, Exchange>
  subscriptions(includePending?: boolean): string[]
  isSubscribed(channelName: string, includePending?: boolean): boolean
  transmitPublish(channelName: string, data?: any): Promise<void>
  invokePublish(channelName: string, data?: any): Promise<void>
  getBackpressure(): number
  /** Called by the broker with each publication (`event` is `'#publish'`). */
  transmit(event: string, packet: { channel: string; data: any }): void
  /** Ends all loops over events of the broker. */
  destroy(): void
}

export interface Exchange extends ChannelStreams {}
