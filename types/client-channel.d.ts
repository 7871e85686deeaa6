import { AGChannel, AGChannelEvents } from './channel'
import { AGClientSocket, SubscribeOptions } from './client'
import { DemuxedConsumableStream } from './streams'
import {
  PlacedMessage,
  PublishedPosition,
  PublishOptions,
  PublishResult,
  Recovery,
  Scheduled,
  StreamPosition,
} from './streams-kept'

/**
 * How a channel goes on. With `recovered`, all that was missed has been handed over, up to the
 * position. Without, messages are missing for good, and those after the position follow; the channel
 * is not kept if there is none.
 */
export interface ChannelRecovery extends Recovery {
  channel: string
}

export interface AGClientChannelEvents<T = any> extends AGChannelEvents {
  /** A message of a kept channel with its position. */
  message: PlacedMessage<T>
  /** After each subscription that went on from a position, and after each gap. */
  recover: ChannelRecovery
}

/** A handle on a channel; iterating it gives the messages, each once and in order on kept channels. */
export class AGClientChannel<T = any> extends AGChannel<T, AGClientSocket> {
  /**
   * Of the last message handed over, or up to which there is none for this client, or where the
   * subscription began; `undefined` on plain channels and before the server has answered.
   */
  readonly position: StreamPosition | undefined
  /** Outcome of the last recovery; `undefined` before the first, and while one is under way. */
  readonly recovered: boolean | undefined

  subscribe(options?: SubscribeOptions): void
  invokePublish(
    data: any,
    options: PublishOptions & ({ delay: number } | { at: number }),
  ): Promise<Scheduled>
  invokePublish(data: any, options: PublishOptions & { key: string }): Promise<PublishedPosition>
  invokePublish(data?: any, options?: PublishOptions): Promise<PublishResult>
  listener<E extends keyof AGClientChannelEvents>(
    eventName: E,
  ): DemuxedConsumableStream<AGClientChannelEvents<T>[E]>
  listener<D = any>(eventName: string): DemuxedConsumableStream<D>
}
