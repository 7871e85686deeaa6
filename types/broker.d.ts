import { CodecEngine } from './options'
import { Exchange } from './exchange'
import { AsyncStreamEmitter, ConsumableStream } from './streams'
import { PublishResult } from './streams-kept'

/** Anything which can subscribe to channels through the broker. */
export interface BrokerClient {
  id: string
  transmit(event: string, packet: any, options?: { stringifiedData?: any }): any
}

/** What the server needs of a broker engine; pass your own as the `brokerEngine` option. */
export interface BrokerEngine {
  isReady: boolean
  exchange(): any
  setCodecEngine(codec: CodecEngine): void
  listener(eventName: string): ConsumableStream<any>
  subscribeSocket(socket: any, channelName: string): Promise<void> | void
  unsubscribeSocket(socket: any, channelName: string): Promise<void> | void
}

export interface BrokerEvents {
  ready: {}
  error: { error: Error }
  /** A channel got its first subscriber. */
  subscribe: { channel: string }
  /** A channel lost its last subscriber. */
  unsubscribe: { channel: string }
  publish: { channel: string; data: any }
}

/**
 * The default broker engine (`server.brokerEngine`). Its methods may be replaced on the instance;
 * the server then calls the replacements.
 */
export class Broker extends AsyncStreamEmitter<BrokerEvents> implements BrokerEngine {
  protected constructor(port: unknown)
  static readonly INTEREST_SUBSCRIBE: 1
  static readonly INTEREST_UNSUBSCRIBE: 2
  static readonly INTEREST_PUBLISH: 4
  static readonly INTEREST_ERROR: 8

  isReady: boolean
  exchange(): Exchange
  setCodecEngine(codec: CodecEngine): void
  /** Every channel with a subscriber in this process. */
  subscriptions(): string[]
  isSubscribed(channelName: string): boolean
  subscribeClient(client: BrokerClient, channelName: string): Promise<void>
  unsubscribeClient(client: BrokerClient, channelName: string): Promise<void>
  subscribeSocket(socket: BrokerClient, channelName: string): Promise<void>
  unsubscribeSocket(socket: BrokerClient, channelName: string): Promise<void>
  /** @param suppressEvent publish without the broker's own `publish` event */
  transmitPublish(channelName: string, data?: any, suppressEvent?: boolean): Promise<void>
  /** @param suppressEvent publish without the broker's own `publish` event */
  invokePublish(channelName: string, data?: any, suppressEvent?: boolean): Promise<PublishResult>
}
