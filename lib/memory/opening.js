'use strict'

// A memory of this process whose directory is being read, on another thread. What is asked meanwhile
// waits, in its order; what is to be written is encoded at once.

const native = require('../core/native.js')
const keepAlive = require('../core/keep-alive.js')
const { encode } = require('../values')
const { closed, error } = require('./check.js')
const { coded, recoded } = require('./coded.js')
const { encodeJson } = require('./codec.js')
const LocalMemory = require('./local.js')
const wire = require('./wire.js')

/** Most operations that wait, and bytes of what they write. */
const MAX_WAITING = 10_000
const MAX_WAITING_BYTES = 64 * 1024 * 1024

/** @typedef {import('./options.js').MemoryOptions} MemoryOptions */

class Opening {
  /** @type {false} */
  local = false
  /** @type {true} */
  here = true
  #waiting = 0
  #bytes = 0
  /** @type {LocalMemory | null} */
  #memory = null
  /** @type {Error | null} why there will be none */
  #failure = null
  /** @type {Promise<LocalMemory>} */
  #opened
  /** @type {(memory: LocalMemory) => void} */
  #resolve
  /** @type {(reason: Error) => void} */
  #reject
  /** @type {Promise<void> | undefined} */
  #closing
  /** @type {() => void} called when nothing is read any more */
  #freed = () => {}
  #share
  #name
  #options
  #encode

  /**
   * @param {import('../../native/binding.cjs').NativeOpening} share
   * @param {string} name
   * @param {MemoryOptions} options
   */
  constructor(share, name, options) {
    this.#share = share
    this.#name = name
    this.#options = options
    this.#encode = options.json ? encodeJson : encode
    this.#opened = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    // Who does not wait for it learns of it with the first operation.
    this.#opened.catch(() => {})
    // It is not there before a later turn, however fast it was.
    if (!share.onSettled(() => this.#settled())) setImmediate(() => this.#settled())
  }

  /** The memory, once it has been read. Does not keep the process alive. */
  get opened() {
    return this.#opened
  }

  /** As `opened`, and keeps the process alive. It is no operation: there is always room to wait. */
  async ready() {
    keepAlive.hold()
    try {
      await this.#opened
    } finally {
      keepAlive.release()
    }
  }

  /** @returns {Promise<LocalMemory>} */
  memory() {
    return this.#later((memory) => memory)
  }

  /** Why nothing can be done at once. */
  unready() {
    const message = 'the directory of the memory is being read: `await memory.ready` first'
    return this.#failure ?? error('ERR_NC_NOT_READY', message)
  }

  /** @param {string} key */
  get(key) {
    return this.#later((memory) => memory.get(key))
  }

  /** @param {string} key */
  entry(key) {
    return this.#later((memory) => memory.entry(key))
  }

  /** @param {readonly string[]} keys */
  entries(keys) {
    return this.#later((memory) => memory.entries(keys))
  }

  /** @param {string} key */
  has(key) {
    return this.#later((memory) => memory.has(key))
  }

  /**
   * @param {string} key
   * @param {unknown} value
   * @returns {Promise<string>} the version
   */
  async set(key, value) {
    const { version } = await this.commit([], [this.write(key, value, 0)])
    return version
  }

  /**
   * @param {string} key
   * @param {unknown} value
   * @param {number} ttl
   */
  write(key, value, ttl) {
    return wire.put(key, this.#encode(value), ttl)
  }

  /**
   * @param {readonly wire.Expected[]} expected
   * @param {readonly wire.Write[]} writes
   */
  commit(expected, writes) {
    const body = wire.commitBody(expected, writes)
    return this.#later((memory) => memory.commitBody(body), body.length)
  }

  /**
   * @param {string} key
   * @param {number} by
   */
  increment(key, by) {
    return this.#later((memory) => memory.increment(key, by))
  }

  /** @param {string} key */
  delete(key) {
    return this.#later((memory) => memory.delete(key))
  }

  /**
   * @param {number} partition
   * @param {string} prefix
   * @param {string} after
   */
  keys(partition, prefix, after) {
    return this.#later((memory) => memory.keys(partition, prefix, after))
  }

  /**
   * @param {number} partition
   * @param {string} prefix
   * @param {string} after
   */
  scan(partition, prefix, after) {
    return this.#later((memory) => memory.scan(partition, prefix, after))
  }

  /**
   * @param {string} key
   * @param {number} lease
   * @param {boolean} turn
   * @param {AbortSignal} [signal]
   * @returns {Promise<string>}
   */
  lock(key, lease, turn, signal) {
    const locked = this.#later((memory) => {
      signal?.throwIfAborted()
      return memory.lock(key, lease, turn, signal)
    })
    return signal === undefined ? locked : this.#unlessAborted(locked, signal)
  }

  /**
   * @param {string} key
   * @param {string} token
   * @param {boolean} turn
   */
  unlock(key, token, turn) {
    return this.#later((memory) => memory.unlock(key, token, turn))
  }

  /**
   * @param {string} key
   * @param {string} token
   * @param {number} lease
   */
  renew(key, token, lease) {
    return this.#later((memory) => memory.renew(key, token, lease))
  }

  /**
   * @param {string} target
   * @param {boolean} prefix
   * @param {string | undefined} since
   * @param {import('./watch.js').Sink} sink
   * @returns {import('./watch.js').Subscription}
   */
  watch(target, prefix, since, sink) {
    /** @type {import('./watch.js').Subscription | null} */
    let subscription = null
    let wanted = true
    const begin = (/** @type {LocalMemory} */ memory) => {
      if (wanted) subscription = memory.watch(target, prefix, since, sink)
    }
    this.#opened.then(begin).catch((reason) => {
      if (wanted) sink.failed(reason)
    })
    return {
      close: () => {
        wanted = false
        subscription?.close()
      },
      pause: (paused) => subscription?.pause(paused) ?? true,
    }
  }

  stats() {
    return this.#later((memory) => memory.stats())
  }

  /**
   * @param {Error} reason what pending operations reject with
   * @returns {Promise<void>} once the directory is free, if nobody else in the process wants it
   */
  close(reason = closed()) {
    this.#closing ??= this.#close(reason)
    return this.#closing
  }

  /** @param {Error} reason */
  async #close(reason) {
    if (this.#memory !== null) this.#memory.close(reason)
    this.#fail(reason)
    if (!this.#share.close()) return
    keepAlive.hold()
    await new Promise((resolve) => (this.#freed = () => resolve(undefined)))
    keepAlive.release()
  }

  #settled() {
    this.#freed()
    if (this.#closing !== undefined) return
    try {
      this.#share.isOpen()
      this.#memory = new LocalMemory(this.#name, this.#options)
      this.#resolve(this.#memory)
    } catch (cause) {
      this.#fail(recoded(cause))
    }
    this.#share.close()
  }

  /**
   * @template T
   * @param {Promise<T>} result
   * @param {AbortSignal} signal heeded until the memory is there, which then does so itself
   * @returns {Promise<T>}
   */
  #unlessAborted(result, signal) {
    return new Promise((resolve, reject) => {
      const abort = () => reject(signal.reason)
      signal.addEventListener('abort', abort, { once: true })
      const forget = () => signal.removeEventListener('abort', abort)
      this.#opened.then(forget, forget)
      result.then(resolve, reject)
    })
  }

  /** @param {Error} reason */
  #fail(reason) {
    if (this.#memory === null) this.#failure ??= reason
    this.#reject(reason)
  }

  /**
   * @template T
   * @param {(memory: LocalMemory) => T | Promise<T>} act
   * @param {number} [bytes]
   * @returns {Promise<T>}
   */
  async #later(act, bytes = 0) {
    if (this.#waiting >= MAX_WAITING || this.#bytes + bytes > MAX_WAITING_BYTES) {
      throw error('ERR_NC_QUEUE_FULL', 'too much waits for the memory to be opened')
    }
    this.#waiting += 1
    this.#bytes += bytes
    keepAlive.hold()
    try {
      return act(await this.#opened)
    } finally {
      keepAlive.release()
      this.#waiting -= 1
      this.#bytes -= bytes
    }
  }
}

/**
 * The memory of this name in this process, to be read from its directory first if it has one that has
 * not been read.
 * @param {string} name
 * @param {MemoryOptions} options
 * @returns {LocalMemory | Opening}
 */
function openHere(name, options) {
  const share = coded(() => new native.NativeOpening(name, options.limits))
  if (share.waits()) return new Opening(share, name, options)
  try {
    return new LocalMemory(name, options)
  } finally {
    share.close()
  }
}

module.exports = { Opening, openHere }
