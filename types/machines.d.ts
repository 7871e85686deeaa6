// Machines: what works, holds data, passes events on, or has work done.

import type { EventEmitter as NodeEventEmitter } from 'node:events'
import type { SharedEventEmitterClass } from './shared-event-emitter'
import type { SharedMemoryClass } from './shared-memory'

export type Role = 'data' | 'worker' | 'events' | 'proxy' | 'manager' | 'adaptable'

/** Counts since the start, unless said otherwise. A machine that has no such thing says 0. */
export interface MachineStats {
  role: Role
  /** Workers online now. */
  workers: number
  /** Workers without work now. */
  idle: number
  /** Items that wait now. */
  pending: number
  /** Items that workers have now. */
  active: number
  completed: number
  failed: number
  /** Items that were done again because their worker was lost or they failed. */
  retried: number
  /** Most items that waited at once. */
  queueHighWater: number
  /** Time an item takes in a worker, in ms: the median, and what 99 of 100 do not exceed. */
  p50Ms: number
  p99Ms: number
}

export interface CloseOptions {
  /** Gives up what waits or runs (`ERR_NC_CLOSED`) instead of waiting for it. */
  force?: boolean
  /** Longest wait for what was accepted, in ms. Default: 30,000. */
  timeout?: number
}

export interface MachineEvents {
  workerOnline: [worker: { id: string }]
  workerLost: [worker: { id: string; reason: string }]
  /** Work may be made again after 'needsDrain'. */
  drain: []
  /** Half of `maxQueue` waits: whoever makes work should pause. */
  needsDrain: []
  role: [change: { id: string; role: Role }]
  /** An Adaptable connected to the manager. */
  adaptable: [machine: { id: string; role: Role; roles: Role[] }]
  error: [error: Error]
}

export interface Machine extends NodeEventEmitter<MachineEvents>, AsyncDisposable {
  readonly id: string
  readonly role: Role
  /** Makes the machine ready for work. Again: the same promise. */
  start(): Promise<this>
  stats(): MachineStats
  /** Takes nothing new and resolves when what was accepted is done. After it there is only close(). */
  drain(): Promise<void>
  /** Drains and lets go of everything. Again: the same promise. */
  close(options?: CloseOptions): Promise<void>
}

/** What the classes below have in common. */
declare abstract class CommonMachine extends NodeEventEmitter<MachineEvents> {}
interface CommonMachine extends Machine {}

export interface ResourceLimits {
  maxOldGenerationSizeMb?: number
  maxYoungGenerationSizeMb?: number
  codeRangeSizeMb?: number
  stackSizeMb?: number
}

export interface ManagerOptions {
  /** Workers there are always, once started. Default: 0. */
  minWorkers?: number
  /** Default: os.availableParallelism(), 1 with 'inline'. 0 is allowed if workers connect. */
  maxWorkers?: number
  /** Default: 'thread'. 'inline': the manager's own thread, one at a time. */
  workerType?: 'thread' | 'process' | 'inline'
  /** A worker without work for so long ends, in ms. Default: 30,000. */
  idleTimeout?: number
  /** Of each worker; one that exceeds them is lost with ERR_NC_WORKER_OUT_OF_MEMORY. */
  resourceLimits?: ResourceLimits
  /** Loopback address where workers and Adaptables connect; port 0 chooses one, see `url`. */
  listen?: string | URL
  /** Default: true with `listen`. */
  acceptWorkers?: boolean
  /** What workers must know to connect, and to be sent functions. */
  token?: string
  /** Origins of pages whose workers may connect. Needs `token`. Default: none. */
  allowedOrigins?: readonly string[]
  /** Work that no worker can do fails with ERR_NC_NO_WORKERS if none that can connects in so many ms. Default: 30,000. */
  waitForWorkers?: number
  /** Results of workers in browsers are made by so many and compared. Default: 1, no comparison. */
  verifyResults?: number
  /** Most items that may wait; then ERR_NC_QUEUE_FULL. Default: 'auto', 16,777,216. */
  maxQueue?: number | 'auto'
  /** Default: 'nested'. */
  structure?: 'nested' | 'network' | 'sharded'
  /** With structure 'sharded': which items go to the same worker. */
  shardKey?: (item: any) => string
  /** A worker without a sign of life for so long is lost, in ms. Default: 30,000. */
  leaseTime?: number
  /** How often what a lost worker had is done again. Default: 2. */
  retries?: number
}

export interface RunOptions {
  concurrency?: number
  priority?: number
  retries?: number
  timeout?: number
  signal?: AbortSignal
  onProgress?: (progress: { done: number; total?: number; value?: unknown }) => void
  globals?: readonly string[]
}

export interface RegisteredFunction<A extends unknown[] = unknown[], R = unknown> {
  (...args: A): Promise<Awaited<R>>
  readonly hash: string
  readonly name: string
  readonly mode: 'sync-loop' | 'async'
  readonly source: string
}

export class Manager extends CommonMachine {
  constructor(options?: ManagerOptions)
  /** Where workers connect, with `listen` and once started; the port is the real one. */
  readonly url: string | undefined
  /** Whether at least half of `maxQueue` waits. */
  readonly needsDrain: boolean
  scale(workers: number | { min: number; max: number }): Promise<void>
  register<A extends unknown[], R>(
    fn: (...args: A) => R,
    options?: { name?: string; globals?: readonly string[] },
  ): RegisteredFunction<A, R>
  register(
    source: string,
    options?: { name?: string; globals?: readonly string[] },
  ): RegisteredFunction<any[], any>
  run<R>(fn: () => R): Promise<Awaited<R>>
  run<A extends unknown[], R>(
    fn: (...args: A) => R,
    args: A,
    options?: RunOptions,
  ): Promise<Awaited<R>>
  /** By the name of a registered function, of one that workers brought, or by source text. */
  run(fn: string, args?: readonly unknown[], options?: RunOptions): Promise<any>
  broadcast<R>(fn: () => R): Promise<Awaited<R>[]>
  broadcast<A extends unknown[], R>(fn: (...args: A) => R, args: A): Promise<Awaited<R>[]>
  adaptables(): { id: string; role: Role; roles: Role[] }[]
  assign(id: string, role: Role, options?: Record<string, unknown>): Promise<void>
}
export { Manager as ScalabilityManagerClass }

/** Ready-made, with default options; made when it is first read. */
export const ScalabilityManager: Manager

export interface WorkerOptions {
  /** Where a manager listens. */
  connect: string | URL
  token?: string
  /** Items at once, for functions that wait. Default: 1. */
  concurrency?: number
  /** Functions of this process that managers may call by name. */
  functions?: Record<string, (...args: any[]) => unknown>
  /** Default: 'source' with a token, else 'registered-only'. */
  acceptCode?: 'source' | 'registered-only'
  /** ms until start() rejects with ERR_NC_CONNECT if nobody answers. Default: 5000. */
  connectTimeout?: number
}

/** Connects to a manager and works for it; opens no port. */
export class Worker extends CommonMachine {
  constructor(options: WorkerOptions)
}

export interface DataOptions {
  /** Loopback address; default: 'http://127.0.0.1:0'. The path is the name of the memory. */
  listen?: string | URL
  /** A directory: what is set is on disk before set() resolves. */
  persist?: string
  token?: string
}

/** Holds a memory for other processes. */
export class Data extends CommonMachine {
  constructor(options?: DataOptions)
  readonly url: string | undefined
  /** The memory itself, from start() to close(). */
  readonly memory: SharedMemoryClass | undefined
}

export interface EventEmitterOptions {
  /** Loopback address; default: 'http://127.0.0.1:0'. The path is the name of the emitter. */
  listen?: string | URL
  token?: string
}

/** Passes events on between processes. */
export class EventEmitter extends CommonMachine {
  constructor(options?: EventEmitterOptions)
  readonly url: string | undefined
  /** The emitter itself, from start() to close(). */
  readonly emitter: SharedEventEmitterClass | undefined
}

export interface ProxyOptions {
  /** Loopback address; port 0 chooses one, see `url`. */
  listen: string | URL
  /** Where managers listen: for workers and Adaptables. */
  managers?: readonly (string | URL)[]
  /** Where memories and emitters are hosted. */
  data?: readonly (string | URL)[]
  /** Chooses one of the addresses, or none (undefined): then the strategy does. */
  route?: (request: { kind: 'process' | 'crud' | 'event'; key?: string }) => string | undefined
  /** Default: 'round-robin'. 'rendezvous': by the name, so that a name has one place. */
  strategy?: 'round-robin' | 'least-pending' | 'rendezvous'
  /** Most connections at once; more are refused. Default: 10,000. */
  maxConnections?: number
}

/** Passes connections on to other machines. */
export class Proxy extends CommonMachine {
  constructor(options: ProxyOptions)
  readonly url: string | undefined
}

export interface AdaptableOptions {
  /** Where a manager listens. */
  connect: string | URL
  /** What it may be told to become. Default: worker, data, events and proxy. */
  roles?: readonly Role[]
  token?: string
  /** Functions of this process, as of a Worker. */
  functions?: Record<string, (...args: any[]) => unknown>
  /** ms until start() rejects with ERR_NC_CONNECT if nobody answers. Default: 5000. */
  connectTimeout?: number
}

/** Connects to a manager, which tells it what to be. */
export class Adaptable extends CommonMachine {
  constructor(options: AdaptableOptions)
  /** What it is at present; undefined as 'adaptable'. */
  readonly machine: Worker | Data | EventEmitter | Proxy | undefined
  assign(role: Role, options?: Record<string, unknown>): Promise<void>
}

export {
  Manager as ManagerMachine,
  Worker as WorkerMachine,
  Data as DataMachine,
  EventEmitter as EventEmitterMachine,
  Proxy as ProxyMachine,
  Adaptable as AdaptableMachine,
}
