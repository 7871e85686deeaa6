'use strict'

// The changes of a memory as an async iterable.

const keepAlive = require('../core/keep-alive.js')
const { Reader, readChange } = require('./wire.js')

/** So many changes, or bytes of them, wait here. The others are held back until half of that was read. */
const MAX_CHANGES = 1024
const MAX_BYTES = 8 * 1024 * 1024
/** Before every version: whoever goes on from it is told to forget what it knows. */
const LONG_AGO = '0000000000000001'

/**
 * @typedef {object} Sink where a memory puts the changes
 * @property {(body: Uint8Array) => void} push a number of changes, as they are sent
 * @property {() => void} started the memory watches
 * @property {(reason: unknown) => void} failed it does not
 * @property {() => void} lost nothing more comes: the connection is gone
 * @property {() => void} end the memory was closed
 */

/** @typedef {import('./wire.js').Change} Change */
/**
 * @typedef {object} Subscription
 * @property {() => void} close
 * @property {(paused: boolean) => boolean} pause holds changes back where they are bounded; false: it
 *   could not be said
 */
/** @typedef {(since: string | undefined, sink: Sink) => Subscription} Subscribe */
/** @typedef {{ resolve(result: IteratorResult<Change, undefined>): void, reject(reason: unknown): void }} Reading */

/**
 * Changes from now on, or from a version on. A reader who is slow misses values that were replaced
 * meanwhile, and never the last one of a key.
 * @implements {AsyncIterableIterator<Change>}
 */
class Watch {
  /** @type {{ reader: InstanceType<typeof Reader>, left: number, size: number }[]} */
  #batches = []
  #changes = 0
  #bytes = 0
  /** @type {Reading[]} who waits for the next change */
  #readings = []
  /** @type {Subscription | null} */
  #subscription = null
  /** Whether changes are held back. */
  #paused = false
  /** Everything up to here was given to the reader. */
  #since
  #started = false
  #ended = false
  /** @type {{ reason: unknown } | null} told to the next who reads */
  #failure = null
  #subscribe
  #onEnd
  #signal
  #abort = () => this.#fail(this.#signal?.reason)

  /**
   * @param {Subscribe} subscribe
   * @param {{ since?: string, signal?: AbortSignal }} options
   * @param {(watch: Watch) => void} onEnd called once
   */
  constructor(subscribe, { since, signal }, onEnd) {
    this.#subscribe = subscribe
    this.#since = since
    this.#signal = signal
    this.#onEnd = onEnd
  }

  /** Watches, if it does not yet. */
  attach() {
    // Before what has come was read, it is not known from where to go on.
    if (this.#ended || this.#subscription !== null || this.#batches.length > 0) return
    if (this.#signal?.aborted) {
      this.#abort()
      return
    }
    this.#signal?.addEventListener('abort', this.#abort, { once: true })
    this.#subscription = this.#subscribe(this.#since, {
      push: (body) => this.#push(body),
      started: () => (this.#started = true),
      failed: (reason) => this.#failed(reason),
      lost: () => this.#lost(),
      end: () => this.#finish(),
    })
  }

  /** Watches no more until `attach`; what has come stays. */
  detach() {
    this.#subscription?.close()
    this.#forget()
  }

  /** The memory was closed. */
  end() {
    this.#finish()
  }

  /**
   * The memory cannot be reached any more.
   * @param {unknown} reason
   */
  fail(reason) {
    this.#fail(reason)
  }

  /** @returns {Promise<IteratorResult<Change, undefined>>} */
  next() {
    const change = this.#shift()
    if (change !== undefined) return Promise.resolve({ done: false, value: change })
    if (this.#failure !== null) {
      const { reason } = this.#failure
      this.#failure = null
      return Promise.reject(reason)
    }
    if (this.#ended) return Promise.resolve({ done: true, value: undefined })
    keepAlive.hold()
    return new Promise((resolve, reject) => {
      this.#readings.push({ resolve, reject })
    })
  }

  /** @returns {Promise<IteratorResult<Change, undefined>>} */
  return() {
    this.#drop()
    this.#finish()
    return Promise.resolve({ done: true, value: undefined })
  }

  [Symbol.asyncIterator]() {
    return this
  }

  /** @param {Uint8Array} body */
  #push(body) {
    if (this.#ended) return
    this.#started = true
    const reader = new Reader(body)
    const left = reader.u32()
    this.#batches.push({ reader, left, size: body.length })
    this.#changes += left
    this.#bytes += body.length
    while (this.#readings.length > 0 && this.#changes > 0) {
      const value = this.#shift()
      if (value !== undefined) this.#read()?.resolve({ done: false, value })
    }
    if (!this.#paused && (this.#changes > MAX_CHANGES || this.#bytes > MAX_BYTES)) this.#pause(true)
  }

  /** @param {boolean} paused */
  #pause(paused) {
    // Who cannot be told begins anew behind what was read, which may cost a reset.
    if (this.#subscription?.pause(paused) === true) this.#paused = paused
    else this.detach()
  }

  /** The next change. */
  #shift() {
    const [batch] = this.#batches
    if (batch === undefined) return undefined
    const change = this.#decode(batch.reader)
    if (change === undefined) return undefined
    this.#changes -= 1
    batch.left -= 1
    if (batch.left === 0) {
      this.#batches.shift()
      this.#bytes -= batch.size
    }
    this.#since = change.type === 'reset' ? LONG_AGO : change.version
    const enough = this.#changes > MAX_CHANGES / 2 || this.#bytes > MAX_BYTES / 2
    if (this.#paused && !enough) this.#pause(false)
    if (this.#batches.length === 0) this.attach()
    return change
  }

  /**
   * @param {InstanceType<typeof Reader>} reader
   * @returns {Change | undefined} undefined: it cannot be read, which ends the watch
   */
  #decode(reader) {
    try {
      return readChange(reader)
    } catch (reason) {
      this.#fail(reason)
      return undefined
    }
  }

  /** @param {unknown} reason */
  #failed(reason) {
    this.#forget()
    // A connection that was there comes back, and the watch goes on.
    const waits = this.#started && /** @type {any} */ (reason)?.code === 'ERR_NC_CONNECT'
    if (!waits && !(/** @type {any} */ (reason)?.moved)) this.#fail(reason)
  }

  #lost() {
    this.#forget()
    // What it would have seen meanwhile is not known.
    if (this.#batches.length === 0) this.#since ??= LONG_AGO
  }

  #forget() {
    this.#subscription = null
    this.#paused = false
  }

  /** @param {unknown} reason */
  #fail(reason) {
    if (this.#ended) return
    this.#drop()
    const reading = this.#read()
    if (reading === undefined) this.#failure = { reason }
    else reading.reject(reason)
    this.#finish()
  }

  #finish() {
    if (this.#ended) return
    this.#ended = true
    this.detach()
    this.#signal?.removeEventListener('abort', this.#abort)
    while (this.#readings.length > 0) this.#read()?.resolve({ done: true, value: undefined })
    this.#onEnd(this)
  }

  #drop() {
    this.#batches = []
    this.#changes = 0
    this.#bytes = 0
  }

  /** Who waits longest. */
  #read() {
    const reading = this.#readings.shift()
    if (reading !== undefined) keepAlive.release()
    return reading
  }
}

module.exports = Watch
