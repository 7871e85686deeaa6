'use strict'

// A worker's side of a queue in another process: the methods of NativeWorkerPort over a connection.

const { KINDS, Reader, Writer, TAGS } = require('../link/frames')

/** @typedef {InstanceType<typeof Reader>} FrameReader */
/** @typedef {InstanceType<typeof Writer>} FrameWriter */
/** @typedef {InstanceType<typeof import('../link/client').Client>} Client */

/** Text in one byte a unit, as far as these tags go. */
const WIDE = /[^\0-\xff]/

/** How long to wait until what the connection did not take is tried again, in ms. */
const PAUSE = 10

/**
 * @typedef {object} Waiting what is to be sent
 * @property {number} kind
 * @property {Uint8Array} body
 */

class LinkPort {
  #client
  #acceptsCode
  #wake
  /** @type {unknown[][]} chunks that were not taken yet */
  #chunks = []
  /** @type {Set<number>} leases that came over this connection and are not over */
  #leases = new Set()
  /** @type {number[]} */
  #cancelled = []
  /** @type {Waiting[]} bounded: while something waits, nothing is taken */
  #unsent = []
  /** @type {NodeJS.Timeout | undefined} */
  #retry
  /** @type {Set<() => void>} */
  #idle = new Set()
  /** One chunk more was asked for, and none has come since. */
  #asked = false
  #closed = false
  #completed = 0
  #failed = 0

  /**
   * @param {Client} client a connection of the role 'worker'
   * @param {boolean} acceptsCode whether functions may be asked for
   * @param {() => void} wake called when there is something to take, or something was cancelled
   */
  constructor(client, acceptsCode, wake) {
    this.#client = client
    this.#acceptsCode = acceptsCode
    this.#wake = wake
    client.onPush(KINDS.CHUNK, (_id, body) => this.#onChunk(body))
    client.onPush(KINDS.CANCELLED, (_id, body) => this.#onCancelled(new Reader(body).u32()))
    client.on('down', () => this.#lost())
  }

  /** What the worker did and has. */
  stats() {
    const active = this.#leases.size
    return { active, completed: this.#completed, failed: this.#failed }
  }

  /**
   * A chunk, as NativeWorkerPort gives it, or null. Who takes has its hands free: one chunk comes without
   * being asked for, further ones only so, as what is under way may never end.
   * @returns {unknown[] | null}
   */
  take() {
    if (this.#unsent.length > 0) return null
    const chunk = this.#chunks.shift()
    if (chunk !== undefined) return chunk
    if (!this.#asked && this.#leases.size > 0) {
      this.#asked = true
      this.#send(KINDS.TAKE, new Writer())
    }
    return null
  }

  /**
   * @param {number} lease
   * @param {number} first
   * @param {number} count
   * @param {boolean} last whether the lease is over with it
   * @param {number} tag
   * @param {any} data
   */
  done(lease, first, count, last, tag, data) {
    if (!this.#leases.has(lease)) return
    const size = typeof data === 'string' ? data.length : (data?.byteLength ?? 8)
    const writer = new Writer(32 + size)
      .u32(lease)
      .u32(first)
      .u32(count)
      .u8(last ? 1 : 0)
    this.#send(KINDS.DONE, value(writer, tag, data))
    this.#completed += count
    if (last) this.#end(lease)
  }

  /**
   * @param {number} lease
   * @param {number} item
   * @param {string} json
   */
  failed(lease, item, json) {
    if (!this.#leases.has(lease)) return
    this.#failed += 1
    this.#giveUp(lease, item, json)
  }

  /**
   * @param {number} lease
   * @param {number} item
   * @param {string} json
   */
  #giveUp(lease, item, json) {
    this.#send(KINDS.FAILED, new Writer(64 + json.length).u32(lease).u32(item).str(json))
    this.#end(lease)
  }

  /**
   * @param {number} lease
   * @param {number} index
   * @param {number} tag
   * @param {any} data
   */
  progress(lease, index, tag, data) {
    if (!this.#leases.has(lease)) return
    this.#send(KINDS.PROGRESS, value(new Writer().u32(lease).u32(index), tag, data))
  }

  /** Leases cancelled since the last call. @returns {number[]} */
  cancelled() {
    return this.#cancelled.splice(0)
  }

  /**
   * What is known of a function; null if this worker takes none.
   * @param {string} hash
   * @returns {Promise<string | null>}
   */
  async function(hash) {
    if (!this.#acceptsCode) return null
    const answer = await this.#client.request(KINDS.FUNCTION, new Writer().str(hash).finish())
    return new Reader(answer).str()
  }

  /** Resolves when nothing is under way. @returns {Promise<void>} */
  idle() {
    if (this.#leases.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.#idle.add(resolve))
  }

  /** Takes and sends nothing more. May be called again. */
  close() {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#retry)
    this.#client.onPush(KINDS.CHUNK, null)
    this.#client.onPush(KINDS.CANCELLED, null)
    this.#lost()
  }

  /** @param {Uint8Array} body */
  #onChunk(body) {
    const chunk = readChunk(new Reader(body))
    this.#asked = false
    this.#leases.add(/** @type {number} */ (chunk[0]))
    this.#chunks.push(chunk)
    this.#wake()
  }

  /** @param {number} lease */
  #onCancelled(lease) {
    if (!this.#leases.has(lease)) return
    const waiting = this.#chunks.findIndex((chunk) => chunk[0] === lease)
    if (waiting < 0) {
      this.#cancelled.push(lease)
      this.#wake()
      return
    }
    // It was not begun: it ends with this.
    this.#chunks.splice(waiting, 1)
    this.#giveUp(lease, 0, '{}')
  }

  /** The queue has given out anew what this worker had: its answers would be about something else. */
  #lost() {
    this.#chunks = []
    this.#unsent = []
    this.#asked = false
    this.#cancelled.push(...this.#leases)
    this.#leases.clear()
    this.#rest()
    if (this.#cancelled.length > 0) this.#wake()
  }

  /** @param {number} lease */
  #end(lease) {
    this.#leases.delete(lease)
    if (this.#leases.size === 0) this.#rest()
  }

  #rest() {
    const waiting = [...this.#idle]
    this.#idle.clear()
    for (const resolve of waiting) resolve()
  }

  /**
   * @param {number} kind
   * @param {FrameWriter} writer
   */
  #send(kind, writer) {
    const body = writer.finish()
    if (this.#unsent.length > 0 || !this.#client.send(kind, 0, body)) this.#later({ kind, body })
  }

  /** @param {Waiting} waiting */
  #later(waiting) {
    this.#unsent.push(waiting)
    this.#retry ??= setTimeout(() => this.#again(), PAUSE)
  }

  #again() {
    this.#retry = undefined
    let sent = 0
    for (const { kind, body } of this.#unsent) {
      if (!this.#client.send(kind, 0, body)) break
      sent += 1
    }
    this.#unsent.splice(0, sent)
    if (this.#unsent.length > 0) this.#retry = setTimeout(() => this.#again(), PAUSE)
    else this.#wake()
  }
}

/**
 * @param {FrameWriter} writer
 * @param {number} tag
 * @param {any} data
 */
function value(writer, tag, data) {
  if (typeof data === 'string' && WIDE.test(data)) {
    return writer.value(tag === TAGS.JSON ? TAGS.JSON16 : TAGS.UTF16, data)
  }
  return writer.value(tag, data)
}

/**
 * @param {FrameReader} reader
 * @returns {unknown[]}
 */
function readChunk(reader) {
  const job = reader.u32()
  const lease = reader.u32()
  const attempt = reader.u16()
  /** @type {unknown[]} */
  const chunk = [lease, job, attempt, reader.str(), reader.str()]
  for (let blocks = reader.u16(); blocks > 0; blocks--) {
    const first = reader.u32()
    const count = reader.u32()
    const data = reader.value()
    // The frame is gone when the chunk is taken: what it has in it is copied.
    chunk.push(first, count, reader.tag, data instanceof Uint8Array ? data.slice() : data)
  }
  return chunk
}

module.exports = LinkPort
