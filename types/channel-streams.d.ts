import { ChannelState } from './channel'
import { ConsumerStats } from './streams'

/** What the exchange and the client offer for the streams of their channels. */
export interface ChannelStreams {
  closeChannel(channelName: string): void
  closeAllChannelOutputs(): void
  closeAllChannelListeners(): void
  closeAllChannels(): void
  killChannel(channelName: string): void
  killAllChannelOutputs(): void
  killAllChannelListeners(): void
  killAllChannels(): void
  killChannelOutputConsumer(consumerId: number): void
  killChannelListenerConsumer(consumerId: number): void

  getChannelOutputConsumerStats(consumerId: number): ConsumerStats | undefined
  getChannelListenerConsumerStats(consumerId: number): ConsumerStats | undefined
  getAllChannelOutputsConsumerStatsList(): ConsumerStats[]
  getAllChannelListenersConsumerStatsList(): ConsumerStats[]

  getChannelBackpressure(channelName: string): number
  getAllChannelOutputsBackpressure(): number
  getAllChannelListenersBackpressure(): number
  getAllChannelsBackpressure(): number
  getChannelOutputConsumerBackpressure(consumerId: number): number
  getChannelListenerConsumerBackpressure(consumerId: number): number
  hasAnyChannelOutputConsumer(consumerId: number): boolean
  hasAnyChannelListenerConsumer(consumerId: number): boolean

  getChannelState(channelName: string): ChannelState
  getChannelOptions(channelName: string): Record<string, any>

  channelCloseOutput(channelName: string): void
  channelCloseListener(channelName: string, eventName: string): void
  channelCloseAllListeners(channelName: string): void
  channelKillOutput(channelName: string): void
  channelKillListener(channelName: string, eventName: string): void
  channelKillAllListeners(channelName: string): void
  channelGetOutputConsumerStatsList(channelName: string): ConsumerStats[]
  channelGetListenerConsumerStatsList(channelName: string, eventName: string): ConsumerStats[]
  channelGetAllListenersConsumerStatsList(channelName: string): ConsumerStats[]
  channelGetOutputBackpressure(channelName: string): number
  channelGetListenerBackpressure(channelName: string, eventName: string): number
  channelGetAllListenersBackpressure(channelName: string): number
  channelHasOutputConsumer(channelName: string, consumerId: number): boolean
  channelHasListenerConsumer(channelName: string, eventName: string, consumerId: number): boolean
  channelHasAnyListenerConsumer(channelName: string, consumerId: number): boolean
}
