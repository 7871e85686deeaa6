/** What a change of a value was: 16 hex digits, which sort as the changes of a key happened. */
export type Version = string

/** A value with what is known of it. */
export interface Entry<V = any> {
  readonly key: string
  readonly value: V
  /** Of its last change. */
  readonly version: Version
  /** When that was, in milliseconds since 1970. */
  readonly timestamp: number
  /** When it ends, in milliseconds since 1970. Not there: never. */
  readonly expiresAt?: number
}

/** How a value is set. */
export interface SetOptions {
  /** Milliseconds until the value is gone, from 1. Without it, never: also if it would have been. */
  ttl?: number
  /** Only if there is no value: else `ERR_NC_CONFLICT`, and nothing is written. */
  ifAbsent?: boolean
  /** Only if the value has this version: else `ERR_NC_CONFLICT`, and nothing is written. For one key. */
  ifVersion?: Version
  /** Stops waiting, with the signal's reason; what was sent already may still be done. */
  signal?: AbortSignal
}

/** Something that has happened to a key, or to all that is watched. */
export interface Change<V = any> {
  /**
   * - `set`: it has this value now
   * - `delete`: it was deleted
   * - `expire`: its time was over
   * - `reset`: changes may have been missed, so forget what is known. Everything that exists follows, as
   *   `set`. Its `key` is empty
   */
  readonly type: 'set' | 'delete' | 'expire' | 'reset'
  readonly key: string
  /** Of `set`. */
  readonly value?: V
  /** To go on from: see `since`. */
  readonly version: Version
}

/** How a memory is used. */
export interface SharedMemoryOptions {
  /**
   * How objects are kept. `'structured'` (default): as `structuredClone` copies them. `'json'`: as
   * `JSON.stringify` writes them, whatever is lost by that. Bytes stay bytes.
   */
  serializer?: 'structured' | 'json'
  /**
   * Values that this thread keeps, so that most reads take some 30 ns. They are never older than the last
   * write that has returned, in any thread. Not for values with a `ttl`, nor memories of other processes.
   * Default: numbers, strings and the like of at most 10,000 keys. `true` or an object: objects too, which
   * are then frozen, and the same ones at each `get` from the second on. `false`: none.
   */
  nearCache?: boolean | { maxEntries?: number }
  /**
   * With a URL: `'auto'` (default) has this process serve the address if nobody does, also later, when who
   * did has ended. `'never'`: somebody else has to.
   */
  host?: 'auto' | 'never'
  /** Milliseconds that an operation, and `ready`, waits for a connection. Default `5000`. */
  connectTimeout?: number
  /**
   * What who connects and who serves must both know; neither sends it. Needed for `runOnKey` in other
   * processes.
   */
  token?: string
  /**
   * Bytes that all values, keys included, may take. Default: a quarter of the machine's memory. What the
   * first one to open the memory says counts.
   */
  maxBytes?: number
  /**
   * Bytes that a value may have (`ERR_NC_VALUE_TOO_LARGE`), at most 256 MiB. Default 16 MiB. What the first
   * one to open the memory says counts.
   */
  maxValueBytes?: number
  /**
   * A directory in which the values are stored, with their ends and versions, by the process that has the
   * memory; those who connect to it need no option. Whatever writes (`set`, `delete`, `increment`, `update`,
   * `transaction`, `runOnKey`, …) resolves once that is on disk; others read it before. `setSync` does not
   * wait: what it has set is on disk once any later write has resolved. Locks are not stored.
   *
   * The directory is read on other threads, and operations wait for that; `getSync` and `setSync` throw
   * `ERR_NC_NOT_READY` until `ready`. `ERR_NC_QUEUE_FULL`: 10,000 operations, or 64 MiB, wait.
   *
   * `ERR_NC_STORAGE`, of `ready` and all operations: the directory cannot be used, or another memory uses it.
   * Also each write after one
   * that has failed (a full disk, say), until all have closed the memory and it is opened anew: it then has
   * what was acknowledged; what has failed may be there or not. `ERR_NC_QUEUE_FULL`: 64 MiB wait to be
   * written. `ERR_NC_INVALID_ARG`: the memory is in use already, and not stored in that directory.
   *
   * The directory takes at most three times what the memory holds, and 200 MiB.
   */
  durable?: { directory: string }
}

/** What a function that runs elsewhere gets as `scope`, and that of a transaction. */
export interface Scope<S extends object = Record<string, any>> {
  /** @see SharedMemoryClass.get */
  get<K extends keyof S & string>(key: K): Promise<S[K] | undefined>
  /** @see SharedMemoryClass.getMany */
  getMany<K extends keyof S & string>(keys: readonly K[]): Promise<Pick<S, K>>
  /** @see SharedMemoryClass.has */
  has(key: keyof S & string): Promise<boolean>
  /** @see SharedMemoryClass.set */
  set<K extends keyof S & string>(key: K, value: S[K], options?: SetOptions): Promise<Version>
  set(values: Partial<S>, options?: SetOptions): Promise<void>
  /** @see SharedMemoryClass.delete */
  delete(key: keyof S & string): Promise<boolean>
  /** @see SharedMemoryClass.increment */
  increment(key: keyof S & string, by?: number): Promise<number>
  /** @see SharedMemoryClass.compareAndSet */
  compareAndSet<K extends keyof S & string>(
    key: K,
    expected: Version | undefined,
    value: S[K],
  ): Promise<boolean>
}

/** A lock that is held. */
export interface MemoryLock extends AsyncDisposable {
  readonly key: string
  /** Greater, as a string, than the token of all who held the lock before: to be checked by what it guards. */
  readonly token: Version
  /** Lets the next one have it. May be called again. `false`: its lease was over before. */
  release(): Promise<boolean>
  /**
   * Begins a new lease.
   * @param leaseTime milliseconds from now, from 1
   * @returns whether the lock is held: `false` if its lease was over before
   */
  renew(leaseTime: number): Promise<boolean>
}

/** Figures of a memory. */
export interface MemoryStats {
  entries: number
  /** What keys and values take. */
  bytes: number
  watchers: number
  /** Locks that are held. */
  locks: number
  /** Who has the memory open: memory objects, of all threads and processes. */
  clients: number
  [name: string]: unknown
}

/**
 * Values by key. Without a URL they are the same for all threads of the process; with one, for all
 * processes of the machine that name it.
 *
 * A key is a string of 1 to 1024 bytes as UTF-8 (`ERR_NC_INVALID_KEY`). A value is whatever
 * `structuredClone` copies, except objects of the host and SharedArrayBuffers (`ERR_NC_INVALID_VALUE`,
 * with the path of what it is); a `Buffer` comes back as a `Uint8Array`. Changes of one key are seen by all
 * in the same order, and what a write has returned from is seen by every read that begins later.
 *
 * Methods that return promises reject, others throw, with a `NetworkClusterError`: `ERR_NC_INVALID_ARG` for
 * options and arguments that make no sense, `ERR_NC_CLOSED` after `close()`, `ERR_NC_CONNECT` if the
 * process that has the memory cannot be reached. What was sent to it may have been done or not then. What
 * else a method fails with is said there.
 *
 * An open memory does not keep the process running; an operation that is under way does.
 */
export class SharedMemoryClass<S extends object = Record<string, any>>
  implements Scope<S>, AsyncDisposable, AsyncIterable<Entry>
{
  /**
   * @param url `http:` or `ws:` with a loopback host and a port; its path is the name of the memory
   * @throws `ERR_NC_INVALID_URL`, `ERR_NC_INVALID_ARG`; `ERR_NC_CONNECT` if the address can be neither
   *   served nor connected to
   */
  constructor(url?: string | URL, options?: SharedMemoryOptions)
  /**
   * Resolves once the memory can be reached, and has been read if it is `durable`; no method but `getSync`
   * and `setSync` needs to wait for it.
   * @throws `ERR_NC_CONNECT` after `connectTimeout`, or with a token that is not the one needed;
   *   `ERR_NC_STORAGE`
   */
  readonly ready: Promise<void>
  /** The value, or `undefined` if there is none. */
  get<K extends keyof S & string>(key: K): Promise<S[K] | undefined>
  /**
   * As `get`, at once.
   * @throws `ERR_NC_NOT_OWNER` if the memory is in another process, `ERR_NC_NOT_READY` while its directory is
   *   being read
   */
  getSync<K extends keyof S & string>(key: K): S[K] | undefined
  /** The value with its version, or `undefined` if there is none. */
  getEntry<K extends keyof S & string>(key: K): Promise<Entry<S[K]> | undefined>
  /**
   * The values of up to 65,535 keys, as an object that only has the keys with a value. All of them were
   * there at one time.
   */
  getMany<K extends keyof S & string>(keys: readonly K[]): Promise<Pick<S, K>>
  /** Whether there is a value, be it `undefined`. */
  has(key: keyof S & string): Promise<boolean>
  /**
   * Sets a value.
   * @returns the version
   * @throws `ERR_NC_INVALID_VALUE`, `ERR_NC_VALUE_TOO_LARGE` (also if the memory is full), `ERR_NC_CONFLICT`
   */
  set<K extends keyof S & string>(key: K, value: S[K], options?: SetOptions): Promise<Version>
  /** Sets up to 65,535 values at once: others see all of them or none. */
  set(values: Partial<S>, options?: SetOptions): Promise<void>
  /**
   * As `set` of one key, at once.
   * @throws `ERR_NC_NOT_OWNER`, `ERR_NC_NOT_READY`: see `getSync`
   */
  setSync<K extends keyof S & string>(key: K, value: S[K], options?: SetOptions): void
  /** @returns whether there was a value */
  delete(key: keyof S & string): Promise<boolean>
  /**
   * Adds to a number, which is 0 if there is none. When it ends stays as it is.
   * @param by finite; default `1`
   * @returns the sum
   * @throws `ERR_NC_INVALID_VALUE` if the value is no number
   */
  increment(key: keyof S & string, by?: number): Promise<number>
  /**
   * Sets a value if the one that is there has the version expected.
   * @param expected `undefined`: there is none
   * @returns whether it was set
   */
  compareAndSet<K extends keyof S & string>(
    key: K,
    expected: Version | undefined,
    value: S[K],
  ): Promise<boolean>
  /**
   * Replaces a value by what `fn` makes of it, for which `fn` runs again each time that somebody else was
   * faster. When the value ends stays as it is.
   * @returns the new value
   */
  update<K extends keyof S & string>(
    key: K,
    fn: (old: S[K] | undefined) => S[K] | Promise<S[K]>,
    options?: { signal?: AbortSignal },
  ): Promise<S[K]>
  /**
   * Runs a function where the memory is, as the only one of its kind on that key at the time. What it
   * leaves in `entry.value` is set; `undefined` deletes the key. It runs again if the key was set by
   * others meanwhile, at most 100 times (`ERR_NC_CONFLICT`). Arguments and result are copied.
   *
   * @param fn a function, or its text, which must not use variables from outside of itself
   * @returns what `fn` returns
   * @throws what `fn` throws; `ERR_NC_CAPTURED_VARIABLES`, `ERR_NC_FUNCTION_SOURCE`,
   *   `ERR_NC_USES_THIS`, `ERR_NC_NOT_A_FUNCTION`; `ERR_NC_CODE_REFUSED` if the memory is in another
   *   process and there is no `token`; `ERR_NC_UNSERIALIZABLE_RESULT`; `ERR_NC_CONFLICT` if `fn` waits for
   *   its own turn
   */
  runOnKey<K extends keyof S & string, R, A extends unknown[]>(
    key: K,
    fn:
      | ((entry: { readonly key: K; value: S[K] | undefined }, ...args: A) => R | Promise<R>)
      | string,
    ...args: A
  ): Promise<R>
  /**
   * Several reads and writes as one. Writes are done when `fn` has ended, all at once, provided that
   * everything it has read is still the same; else `fn` runs again. Nothing is written if `fn` throws.
   * `set` of a key resolves with no version that means anything yet.
   * @param options `retries`: how often `fn` may run again; default `100`
   * @returns what `fn` returns
   * @throws what `fn` throws; `ERR_NC_CONFLICT` after the last attempt
   */
  transaction<R>(
    fn: (transaction: Scope<S>) => R | Promise<R>,
    options?: { retries?: number },
  ): Promise<R>
  /**
   * The changes of a key, or of all that begin with a prefix, in the order of their versions.
   *
   * From now on, or those after the version `since`. Whoever reads slowly misses values that were replaced
   * meanwhile, and never the last one of a key. Ends with `return()` (`break`), when the memory is closed,
   * and with the signal, whose reason the pending read rejects with.
   */
  watch<K extends keyof S & string>(
    target: K | { prefix: string },
    options?: { signal?: AbortSignal; since?: Version },
  ): AsyncIterableIterator<Change<S[K]>>
  /**
   * Waits until nobody else holds the lock of that name; who waits longest is next. Locks have nothing to
   * do with the value of that name, and the same thread can wait for itself.
   * @param options `leaseTime`: milliseconds until the lock is free again by itself, from 1; default
   *   `30000`. `signal`: waits no more, and rejects with the signal's reason
   */
  lock(key: string, options?: { leaseTime?: number; signal?: AbortSignal }): Promise<MemoryLock>
  /**
   * All keys, or those with a prefix, in no order. What is there all the time comes once; what comes or goes
   * meanwhile, once or not at all.
   */
  keys(options?: { prefix?: string }): AsyncIterableIterator<keyof S & string>
  /** As `keys`, with the values. */
  entries(options?: { prefix?: string }): AsyncIterableIterator<Entry>
  /** All entries. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Entry>
  stats(): Promise<MemoryStats>
  /**
   * Locks held by this memory are free, watches end, what is pending rejects. The values stay as long as
   * somebody in this process has the memory open. May be called again.
   */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}
