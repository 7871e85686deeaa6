'use strict'

const { bytesOf, encode } = require('../values/index.js')
const { Reader, Writer, KINDS } = require('../link/frames.js')
const { argsOf, encodeArgs } = require('./args.js')

/** Most events that an emitter listens to; the same is in src/runtime/bus/mod.rs. */
const MAX_SUBSCRIPTIONS = 100_000

/**
 * @typedef {object} Waiting an event that waits for a connection
 * @property {string} name
 * @property {number} tag
 * @property {string | Uint8Array} data
 * @property {(count: number | Promise<number>) => void} resolve
 */

/** Emits through the process that serves the address. */
class RemoteBus {
  #client
  #receiver
  /** Events that are listened to, to say so again on a new connection. @type {Set<string>} */
  #names = new Set()
  /** In the order in which they were emitted. @type {Set<Waiting>} */
  #waiting = new Set()
  /** There is what the other side may not have read yet. */
  #sent = false
  /** Settles when it has. @type {Promise<void> | null} */
  #settled = null

  /**
   * @param {InstanceType<typeof import('../link/client.js').Client>} client
   * @param {import('./route.js').Receiver} receiver
   */
  constructor(client, receiver) {
    this.#client = client
    this.#receiver = receiver
    client.onPush(KINDS.EVENTS, (_id, body) => this.#onEvents(body))
    // Before what waits is sent, which may be answered with such an event.
    client.on('up', () => {
      for (const name of this.#names) this.#tell(KINDS.SUBSCRIBE, name)
    })
  }

  /** @param {string} name */
  subscribe(name) {
    if (this.#names.size >= MAX_SUBSCRIPTIONS) return false
    if (this.#client.connected && !this.#tell(KINDS.SUBSCRIBE, name)) return false
    this.#names.add(name)
    return true
  }

  /** @param {string} name */
  unsubscribe(name) {
    if (this.#names.delete(name) && this.#client.connected) this.#tell(KINDS.UNSUBSCRIBE, name)
  }

  /**
   * Without a connection the event waits for one, as long as an operation does.
   * @param {string} name
   * @param {unknown[]} args
   */
  emit(name, args) {
    const data = encodeArgs(args)
    if (!this.#client.connected) {
      const { pending } = this.#client
      this.#request(name, data).catch(() => {})
      return this.#client.pending > pending
    }
    if (!this.#client.send(KINDS.EMIT, 0, bodyOf(false, name, encode.tag, data))) return false
    this.#settle()
    return true
  }

  /**
   * @param {string} name
   * @param {unknown[]} args
   */
  async emitAndCount(name, args) {
    return this.#request(name, encodeArgs(args))
  }

  async stats() {
    const answer = await this.#client.request(KINDS.STATS)
    return this.#read(() => statsOf(JSON.parse(new Reader(answer).str())))
  }

  /** Settles once the other side has read what was sent to it, or is lost. */
  async close() {
    this.#names.clear()
    if (this.#client.connected && this.#waiting.size > 0) this.#settle()
    await this.#settled
  }

  /**
   * This process serves the address from now on: moves what is listened to, and what waits, in order.
   * @param {InstanceType<typeof import('./local.js')>} local
   */
  moveTo(local) {
    for (const name of this.#names) local.subscribe(name)
    for (const { name, tag, data, resolve } of this.#waiting) {
      resolve(local.putAndCount(name, tag, data))
    }
  }

  /**
   * @param {string} name
   * @param {string | Uint8Array} data whose tag is in `encode.tag`
   * @returns {Promise<number>} how many got it
   */
  #request(name, data) {
    const { tag } = encode
    const { connected } = this.#client
    const answer = this.#client
      .request(KINDS.EMIT, bodyOf(true, name, tag, data))
      .then((body) => this.#read(() => new Reader(body).u32()))
    if (connected) return answer
    return new Promise((resolve, reject) => {
      const waiting = { name, tag, data, resolve }
      this.#waiting.add(waiting)
      answer.then(resolve, reject).finally(() => this.#waiting.delete(waiting))
    })
  }

  /**
   * Has the process live until the other side has read what was sent: it may end at any time, and with
   * it what has not left it.
   */
  #settle() {
    this.#sent = true
    this.#settled ??= this.#untilRead()
  }

  async #untilRead() {
    try {
      while (this.#sent) {
        this.#sent = false
        await this.#client.request(KINDS.STATS)
      }
    } catch {
      // The connection is lost, and with it what was sent.
    }
    this.#settled = null
  }

  /** @param {Uint8Array} body */
  #onEvents(body) {
    const reader = new Reader(body)
    for (let left = reader.u32(); left > 0; left--) {
      const name = reader.str()
      const data = reader.value()
      const args = argsOf(reader.tag, data)
      if (args !== null) this.#receiver.event(name, args)
    }
    const dropped = reader.u32()
    if (reader.left > 0) throw new RangeError('there is more than events')
    if (dropped > 0) this.#receiver.missed(dropped)
  }

  /**
   * @template T
   * @param {() => T} read an answer, which throws if it makes no sense
   * @returns {T}
   */
  #read(read) {
    try {
      return read()
    } catch (error) {
      this.#client.drop(/** @type {Error} */ (error).message)
      throw this.#client.unreachable()
    }
  }

  /**
   * @param {number} kind
   * @param {string} name
   */
  #tell(kind, name) {
    return this.#client.send(kind, 0, new Writer(4 + 3 * name.length).str(name).finish())
  }
}

/**
 * @param {boolean} count
 * @param {string} name
 * @param {number} tag
 * @param {string | Uint8Array} data
 */
function bodyOf(count, name, tag, data) {
  encode.tag = tag
  const bytes = bytesOf(data)
  return new Writer(16 + 3 * name.length + bytes.length)
    .u8(Number(count))
    .str(name)
    .value(encode.tag, bytes)
    .finish()
}

/**
 * @param {any} json what another process says
 * @returns {import('./route.js').BusStats}
 */
function statsOf({ emitted, delivered, dropped, waiting }) {
  const stats = { emitted, delivered, dropped, waiting }
  if (Object.values(stats).every((figure) => typeof figure === 'number')) return stats
  throw new TypeError('figures that are no numbers')
}

module.exports = RemoteBus
