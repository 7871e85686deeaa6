export * from './types/client'
export type { AGChannel, AGChannelEvents, ChannelState } from './types/channel'
export type { AuthState, AuthToken } from './types/auth'
export type {
  AGClientChannel,
  AGClientChannelEvents,
  ChannelRecovery,
} from './types/client-channel'
export type {
  History,
  HistoryMessage,
  HistoryOptions,
  Member,
  PlacedMessage,
  Presence,
  PublishedPosition,
  PublishOptions,
  PublishResult,
  Scheduled,
  StreamPosition,
} from './types/streams-kept'
