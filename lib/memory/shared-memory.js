'use strict'

const {
  badArgument,
  closed,
  error,
  checkFunction,
  checkKey,
  checkMilliseconds,
  checkOptions,
  checkPrefix,
  checkSetOptions,
  checkSignal,
  checkVersion,
} = require('./check.js')
const { iterate } = require('./iteration.js')
const MemoryLock = require('./lock.js')
const { memoryOptions } = require('./options.js')
const MemoryScope = require('./scope.js')
const Source = require('./source.js')
const { localSource, urlSource } = require('./open.js')
const { transact } = require('./transaction.js')
const { update } = require('./update.js')
const Watch = require('./watch.js')

const DEFAULT_LEASE = 30_000
const DEFAULT_RETRIES = 100

/** @typedef {import('../../types/shared-memory').SetOptions} SetOptions */
/** @typedef {import('../../types/shared-memory').SharedMemoryOptions} SharedMemoryOptions */

/**
 * @typedef {object} Described what another thread needs to open the same memory; plain JSON
 * @property {string} name of the memory in the process that has it
 * @property {boolean} here whether the process that describes it has it
 * @property {string} [url] if it has not
 * @property {SharedMemoryOptions} options with the token if there is a URL
 */

/** @type {(memory: InstanceType<typeof SharedMemoryClass>) => Described | Promise<Described>} */
let describeMemory

/** Values by key, the same for all threads of the process, or for all processes that name a URL. */
class SharedMemoryClass extends MemoryScope {
  static {
    describeMemory = (memory) => {
      const { name, backend } = memory.#source
      // Who is in the same process needs neither address nor token.
      const { serializer, nearCache, ...link } = memory.#options ?? {}
      const own = { serializer, nearCache }
      const described = { name, here: true, options: own }
      if (backend.here) return backend.local ? described : backend.memory().then(() => described)
      return { name, here: false, url: memory.#url, options: { ...own, ...link } }
    }
  }

  #source
  #url
  #options

  /**
   * @param {string | URL | Source} [url] a source: where the memory is, for who knows that
   * @param {SharedMemoryOptions} [options]
   */
  constructor(url, options) {
    const checked = memoryOptions(options)
    const source = sourceOf(url, checked)
    super(source)
    this.#source = source
    this.#url = url instanceof Source || url === undefined ? undefined : String(url)
    this.#options = options
  }

  /** @returns {Promise<void>} */
  get ready() {
    return this.#source.ready
  }

  /** @param {string} key */
  getSync(key) {
    return this.#here().get(key)
  }

  /**
   * @param {string} key
   * @param {unknown} value
   * @param {SetOptions} [options]
   */
  setSync(key, value, options) {
    const memory = this.#here()
    checkKey(key)
    if (options === undefined) {
      memory.setNow(key, value)
      return
    }
    const { ttl, expected, signal } = checkSetOptions(options)
    signal?.throwIfAborted()
    const conditions = expected === undefined ? [] : [{ key, version: expected }]
    if (!memory.commitNow(conditions, [memory.write(key, value, ttl)])) {
      throw error('ERR_NC_CONFLICT', 'the key has another version')
    }
  }

  /** @param {string} key */
  async getEntry(key) {
    checkKey(key)
    return this.#source.run((backend) => backend.entry(key))
  }

  /**
   * @param {string} key
   * @param {(old: any) => unknown} fn
   * @param {{ signal?: AbortSignal }} [options]
   */
  async update(key, fn, options) {
    checkKey(key)
    checkFunction(fn)
    const { signal } = checkOptions(options, ['signal'])
    checkSignal(signal)
    return update(this.#source, key, fn, signal)
  }

  /**
   * @param {string} key
   * @param {unknown} fn
   * @param {unknown[]} args
   */
  async runOnKey(key, fn, ...args) {
    checkKey(key)
    // Only who uses it pays for what analyses functions.
    const { runOnKey } = require('./run-on-key.js')
    return runOnKey(this.#source, key, fn, args)
  }

  /**
   * @template R
   * @param {(transaction: any) => R | Promise<R>} fn
   * @param {{ retries?: number }} [options]
   */
  async transaction(fn, options) {
    checkFunction(fn)
    const { retries = DEFAULT_RETRIES } = checkOptions(options, ['retries'])
    if (!Number.isInteger(retries) || retries < 0) throw badArgument('retries is an integer from 0')
    return transact(this.#source, fn, retries)
  }

  /**
   * @param {string | { prefix: string }} target
   * @param {{ signal?: AbortSignal, since?: string }} [options]
   */
  watch(target, options) {
    const prefix = typeof target === 'object' && target !== null
    const text = prefix ? checkPrefix(checkOptions(target, ['prefix']).prefix) : checkKey(target)
    const { signal, since } = checkOptions(options, ['signal', 'since'])
    checkSignal(signal)
    const source = this.#source
    if (source.isClosed) throw closed()
    const from = since === undefined ? undefined : checkVersion(since, 'since')
    const watch = new Watch(
      (version, sink) => source.backend.watch(text, prefix, version, sink),
      { since: from, signal },
      (ended) => source.remove(ended),
    )
    source.add(watch)
    return watch
  }

  /**
   * @param {string} key
   * @param {{ leaseTime?: number, signal?: AbortSignal }} [options]
   */
  async lock(key, options) {
    checkKey(key)
    const { leaseTime = DEFAULT_LEASE, signal } = checkOptions(options, ['leaseTime', 'signal'])
    checkMilliseconds(leaseTime, 'leaseTime')
    checkSignal(signal)
    signal?.throwIfAborted()
    const source = this.#source
    const token = await source.run((backend) => backend.lock(key, leaseTime, false, signal))
    return new MemoryLock(
      key,
      token,
      async () => source.run((backend) => backend.unlock(key, token, false)),
      async (lease) => source.run((backend) => backend.renew(key, token, lease)),
    )
  }

  /**
   * @param {{ prefix?: string }} [options]
   * @returns {AsyncIterableIterator<string>}
   */
  keys(options) {
    return this.#all((backend, ...from) => backend.keys(...from), options)
  }

  /**
   * @param {{ prefix?: string }} [options]
   * @returns {AsyncIterableIterator<import('../../types/shared-memory').Entry<any>>}
   */
  entries(options) {
    return this.#all((backend, ...from) => backend.scan(...from), options)
  }

  [Symbol.asyncIterator]() {
    return this.entries()
  }

  async stats() {
    return this.#source.run((backend) => backend.stats())
  }

  async close() {
    await this.#source.close()
  }

  [Symbol.asyncDispose]() {
    return this.close()
  }

  /** The memory, if it is in this process. */
  #here() {
    const { backend } = this.#source
    if (backend.local) return backend
    if (backend.here) throw backend.unready()
    throw error('ERR_NC_NOT_OWNER', 'the memory is in another process, which takes time to ask')
  }

  /**
   * @template T
   * @param {import('./iteration.js').ReadPage<T>} read
   * @param {{ prefix?: string }} [options]
   */
  #all(read, options) {
    const prefix = checkPrefix(checkOptions(options, ['prefix']).prefix ?? '')
    if (this.#source.isClosed) throw closed()
    return iterate(this.#source, read, prefix)
  }
}

/**
 * @param {string | URL | Source | undefined} url
 * @param {import('./options.js').MemoryOptions} options
 */
function sourceOf(url, options) {
  if (url === undefined) return localSource('', options)
  return url instanceof Source ? url : urlSource(url, options)
}

module.exports = { SharedMemoryClass, describeMemory }
