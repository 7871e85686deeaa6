/** How much waits for one emitter that is slower than the others, and what happens beyond. */
export interface SharedEventEmitterOptions {
  /** Events that wait for this emitter's listeners at most, 65,536 by default; also at most 64 MiB. */
  maxQueue?: number
  /**
   * What happens to an event for which there is no room here: `'drop-oldest'` (default) makes room by
   * dropping those that have waited longest, `'drop-newest'` drops it, `'error'` refuses it, so that
   * nobody gets it and `emit` returns false. What was dropped is counted in `stats()`.
   *
   * For an emitter with a URL whose address another process serves, this is how that process queues for
   * it, 1,000,000 events at most; the connection carries up to some MB besides.
   */
  overflow?: 'drop-oldest' | 'drop-newest' | 'error'
  /** The token of the process that serves the URL; see SharedMemory. */
  token?: string
  /** `'auto'` (default) serves the address if nobody does, `'never'` only connects. */
  host?: 'auto' | 'never'
  /** Milliseconds until an operation without a connection fails, 5000 by default. */
  connectTimeout?: number
}

/** Figures of all emitters that reach each other, together. */
export interface SharedEventEmitterStats {
  /** Events that were emitted. */
  emitted: number
  /** How often one was put into an emitter's queue. */
  delivered: number
  /** How often one found no room in such a queue, or made room for another. */
  dropped: number
  /** Events that wait for this emitter's own listeners. */
  waiting: number
  /** Those of `dropped` that were for this emitter, as far as it knows. */
  missed: number
}

/**
 * Emits events to listeners in other threads and processes: without a URL in all threads of this
 * process, with one in all processes that use the same. Stores nothing: who listens later gets only
 * what is emitted later.
 *
 * Listeners are called asynchronously, also those of the thread that emits. What one emitter emits
 * arrives everywhere in that order. Arguments are copied as `structuredClone` does. An error that a
 * listener throws is an uncaught exception of its thread; the event `'error'` is one like any other.
 *
 * While it has listeners, its thread does not end by itself, unless `unref()` was called.
 *
 * @example
 * const emitter = new SharedEventEmitterClass()
 * emitter.on('done', (id) => console.log(id))
 * emitter.emit('done', 5) // also from a worker thread
 */
export class SharedEventEmitterClass<
  E extends Record<keyof E, any[]> = Record<string, any[]>,
> implements AsyncDisposable {
  /**
   * @param url `http:` or `ws:` with a loopback host and a port; the path is the name under which
   * emitters find each other
   * @throws ERR_NC_INVALID_URL, ERR_NC_INVALID_ARG, ERR_NC_CONNECT
   */
  constructor(url?: string | URL, options?: SharedEventEmitterOptions)
  /** Settles once it is connected; rejects with ERR_NC_CONNECT. */
  readonly ready: Promise<void>
  /**
   * @param event 1 to 1024 bytes
   * @throws ERR_NC_INVALID_ARG, ERR_NC_CLOSED; ERR_NC_QUEUE_FULL if it listens to 100,000 events
   */
  on<K extends keyof E & string>(event: K, listener: (...args: E[K]) => void): this
  /** Calls the listener for the next event only. */
  once<K extends keyof E & string>(event: K, listener: (...args: E[K]) => void): this
  /** Removes a listener; of several that are equal the one added last. */
  off<K extends keyof E & string>(event: K, listener: (...args: E[K]) => void): this
  /**
   * @returns whether it was accepted for delivery: false if a queue with the policy `'error'` is full,
   * or if too much waits for the connection. Whether another process that serves the address accepts it
   * is told by `emitAsync` only.
   * @throws ERR_NC_INVALID_ARG, ERR_NC_INVALID_VALUE, ERR_NC_CLOSED; ERR_NC_VALUE_TOO_LARGE above 256 MiB
   */
  emit<K extends keyof E & string>(event: K, ...args: E[K]): boolean
  /**
   * @returns how many emitters (of threads and processes) have it in their queue. Rejects as `emit`
   * throws, with ERR_NC_QUEUE_FULL where that returns false, and with ERR_NC_CONNECT if the connection
   * was lost: then it may have been delivered or not.
   */
  emitAsync<K extends keyof E & string>(event: K, ...args: E[K]): Promise<number>
  /** Listeners of this emitter, not those of others. */
  listenerCount(event: keyof E & string): number
  /** Rejects with ERR_NC_CONNECT, ERR_NC_CLOSED. */
  stats(): Promise<SharedEventEmitterStats>
  /** Keeps the thread from ending while there are listeners; this is the default. */
  ref(): this
  /** Lets the thread end although there are listeners. */
  unref(): this
  /** Removes all listeners; settles once what was emitted has left the process. May be called again. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}
