export * from './types/client'
export type { AGChannel, AGChannelEvents, ChannelState } from './types/channel'
export type { AuthState, AuthToken } from './types/auth'
