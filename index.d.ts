import type { Server as HttpServer } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import { AGServerOptions } from './types/options'
import { AGServer } from './types/server'

export { AGRequest } from './types/request'
export { AGServer } from './types/server'
export { AGServerSocket } from './types/server-socket'
export { StreamError } from './types/streams-kept'
export {
  CapturedVariablesError,
  NetworkClusterError,
  TaskError,
} from './types/network-cluster-error'
export { IteratorClass } from './types/iterator'
export {
  Adaptable,
  AdaptableMachine,
  Data,
  DataMachine,
  EventEmitter,
  EventEmitterMachine,
  Manager,
  ManagerMachine,
  Proxy,
  ProxyMachine,
  ScalabilityManager,
  ScalabilityManagerClass,
  Worker,
  WorkerMachine,
} from './types/machines'
export { SharedEventEmitterClass } from './types/shared-event-emitter'
export { SharedMemoryClass } from './types/shared-memory'

/**
 * Listens on a port with an HTTP server made for it (`server.httpServer`), which answers plain
 * requests with 501.
 */
export function listen(port: number, options?: AGServerOptions, fn?: () => void): AGServer
export function listen(port: number, fn?: () => void): AGServer

/** Serves the upgrade requests of an HTTP server. Sets `options.httpServer`. */
export function attach(server: HttpServer | HttpsServer, options?: AGServerOptions): AGServer

export type * from './types/action'
export type * from './types/auth'
export type { Broker, BrokerClient, BrokerEngine, BrokerEvents } from './types/broker'
export type { AGChannel, AGChannelEvents, ChannelState } from './types/channel'
export type * from './types/errors'
export type { Exchange, ExchangeEvents } from './types/exchange'
export type * from './types/iterator'
export type * from './types/machines'
export type * from './types/metrics'
export type * from './types/network-cluster-error'
export type * from './types/options'
export type { Scheduler, ScheduledMessage, Timer } from './types/scheduler'
export type { AGServerEvents } from './types/server'
export type {
  AGServerSocketEvents,
  InvokeOptions,
  RawSocket,
  SocketState,
  TransmitOptions,
} from './types/server-socket'
export type {
  SharedEventEmitterOptions,
  SharedEventEmitterStats,
} from './types/shared-event-emitter'
export type * from './types/shared-memory'
export type * from './types/streams'
export type * from './types/streams-kept'
