import { Manager } from './machines'
import { Scope, SharedMemoryClass } from './shared-memory'

/** What the callback gets as its third parameter. */
export interface TaskContext {
  /** The item's place in the source, from 0. */
  readonly index: number
  /** From 1: how often the item has been tried. */
  readonly attempt: number
  /** `'inline'` where it runs on the calling thread. */
  readonly workerId: string
  /** Aborted when the work is no longer wanted. */
  readonly signal: AbortSignal
  /** Tells `onProgress` something: anything `structuredClone` can copy. */
  progress(value: unknown): void
}

export interface WorkProgress {
  /** Items whose results have come. */
  done: number
  /** Items in all, where that is known. */
  total?: number
  /** What `ctx.progress` was given. */
  value?: unknown
}

export interface MapOptions {
  /** Items a worker takes at once. Default `'auto'`: what takes about 5 ms. */
  chunkSize?: number | 'auto'
  /** Chunks under way at once at most; an async function then has one item of a chunk under way. Default: as many as workers take. */
  concurrency?: number
  /** Whether results have the order of the items. Default `true`. */
  ordered?: boolean
  /** Higher is first. Default 0. */
  priority?: number
  /** How often an item is done again whose function threw (default 0), or whose worker was lost (default the manager's). */
  retries?: number
  /** ms an item may take, each time it is tried. A worker that overruns is ended. Default: any time. */
  timeout?: number
  /** Rejects with an error named `AbortError` whose `cause` is the signal's reason. */
  signal?: AbortSignal
  onProgress?: (progress: WorkProgress) => void
  /** `'collect'` does every item, then rejects with an `AggregateError` if some threw. Default `'reject'`. */
  onError?: 'reject' | 'collect'
  /** `'latest'`: `scope.get()` reads the newest value. Default `'snapshot'`: one read for a chunk. */
  reads?: 'snapshot' | 'latest'
  /** Items of the same key go to the same worker. */
  partitionBy?: string | ((item: any) => string)
  /** Further global names that the function may use. */
  globals?: readonly string[]
  /** Functions run with all rights of their worker. */
  isolate?: 'none'
  /** Buffers of an item that the caller gives away: they are detached once the item is on its way. */
  transfer?: (item: any) => readonly ArrayBuffer[]
}

/** Rejected with by `onError: 'collect'`. */
export interface CollectedErrors extends AggregateError {
  readonly code: 'ERR_NC_TASK_FAILED'
  /** TaskErrors, in the order of their items. */
  readonly errors: Error[]
  /** What the method would have given, without what failed. */
  readonly results: unknown
}

export type ItemFunction<T, S extends object, R> =
  | ((item: T, scope: Scope<S>, ctx: TaskContext) => R)
  | string

/** Runs a function for each item of a source, in workers. */
export interface ParallelIterator<
  T,
  S extends object = Record<string, any>,
> extends AsyncIterable<T> {
  /** What `scope` is in callbacks from now on. Returns itself. */
  useScope<S2 extends object>(memory: SharedMemoryClass<S2>): ParallelIterator<T, S2>
  map<R>(fn: ItemFunction<T, S, R>, options?: MapOptions): Promise<Awaited<R>[]>
  /** The items themselves for which the function gives something true. */
  filter(fn: ItemFunction<T, S, unknown>, options?: MapOptions): Promise<T[]>
  flatMap<R>(
    fn: ItemFunction<T, S, Iterable<R> | PromiseLike<Iterable<R>>>,
    options?: MapOptions,
  ): Promise<R[]>
  forEach(fn: ItemFunction<T, S, unknown>, options?: MapOptions): Promise<void>
  /** `fn` must be associative: it also combines what workers give. */
  reduce(
    fn: ((a: T, b: T, scope: Scope<S>) => T | PromiseLike<T>) | string,
    options?: MapOptions & { initial?: T },
  ): Promise<T>
  /** Results as they come. The source is pulled no faster than they are read. */
  stream<R>(fn: ItemFunction<T, S, R>, options?: MapOptions): AsyncIterableIterator<Awaited<R>>
}

export interface ParallelIteratorConstructor {
  new <T>(source: Iterable<T> | AsyncIterable<T>): ParallelIterator<T>
}

/** `new IteratorClass(manager)` is a class whose work that manager's workers do. */
export const IteratorClass: {
  new (manager?: Manager): ParallelIteratorConstructor
}
