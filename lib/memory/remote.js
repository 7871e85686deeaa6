'use strict'

// A memory of another process, over a connection to it.

const { KINDS } = require('../link/frames.js')
const { encode } = require('../values')
const { encodeJson } = require('./codec.js')
const { NONE } = require('./version.js')
const wire = require('./wire.js')

const { Reader, Writer } = wire

/** @typedef {import('./local.js').Committed} Committed */
/** @typedef {import('./wire.js').Write} Write */
/** @typedef {import('./wire.js').Expected} Expected */

/**
 * @typedef {object} Connection what a Client of the link has
 * @property {(kind: number, body?: Uint8Array) => { id: number, promise: Promise<Uint8Array> }} begin
 * @property {(id: number, reason: unknown) => boolean} abandon
 * @property {(kind: number, id: number, body?: Uint8Array) => boolean} send
 * @property {(kind: number, listener: ((id: number, body: Uint8Array) => void) | null) => void} onPush
 */

class RemoteMemory {
  /** @type {false} */
  local = false
  /** Whether it is in this process. @type {false} */
  here = false
  /** @type {Map<number, import('./watch.js').Sink>} by the number of the WATCH */
  #sinks = new Map()
  #connection
  #encode

  /**
   * @param {Connection} connection
   * @param {{ json: boolean }} options
   */
  constructor(connection, { json }) {
    this.#connection = connection
    this.#encode = json ? encodeJson : encode
    connection.onPush(KINDS.CHANGES, (id, body) => this.#sinks.get(id)?.push(body))
  }

  /** @param {string} key */
  async get(key) {
    return (await this.entry(key))?.value
  }

  /** @param {string} key */
  async entry(key) {
    const [entry] = await this.entries([key])
    return entry
  }

  /** @param {readonly string[]} keys */
  async entries(keys) {
    const writer = new Writer().u16(keys.length)
    for (const key of keys) writer.str(key)
    const reader = await this.#ask(KINDS.GET, writer)
    return keys.map((key) => {
      const version = reader.version()
      const expiresAt = reader.f64()
      if (version === NONE) return undefined
      return wire.entryOf(key, wire.readValue(reader), version, expiresAt)
    })
  }

  /** @param {string} key */
  async has(key) {
    // Without the value, which may be large.
    return !(await this.commit([{ key, version: NONE }], [])).done
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
   * @param {readonly Expected[]} expected
   * @param {readonly Write[]} writes
   * @returns {Promise<Committed>}
   */
  async commit(expected, writes) {
    const { done, version } = await this.#commit(expected, writes)
    return { done, version }
  }

  /**
   * @param {string} key
   * @param {number} by
   */
  async increment(key, by) {
    const reader = await this.#ask(KINDS.INCREMENT, new Writer().str(key).f64(by))
    return reader.f64()
  }

  /** @param {string} key */
  async delete(key) {
    const { reader } = await this.#commit([], [wire.remove(key)])
    return reader.u8() === 1
  }

  /**
   * @param {number} partition
   * @param {string} prefix
   * @param {string} after the last key of the page before; '' for the first one
   */
  async keys(partition, prefix, after) {
    return wire.readKeys((await this.#scan(partition, prefix, after, 0)).bytes())
  }

  /**
   * @param {number} partition
   * @param {string} prefix
   * @param {string} after as for `keys`
   */
  async scan(partition, prefix, after) {
    return wire.readEntries((await this.#scan(partition, prefix, after, 1)).bytes())
  }

  /**
   * @param {string} key
   * @param {number} lease
   * @param {boolean} turn
   * @param {AbortSignal} [signal]
   * @returns {Promise<string>}
   */
  async lock(key, lease, turn, signal) {
    const body = new Writer()
      .str(key)
      .f64(lease)
      .u8(turn ? 1 : 0)
      .finish()
    const { id, promise } = this.#connection.begin(KINDS.LOCK, body)
    const cancel = () => {
      if (this.#connection.abandon(id, signal.reason)) this.#tell(KINDS.CANCEL, id)
    }
    signal?.addEventListener('abort', cancel, { once: true })
    try {
      return new Reader(await promise).version()
    } finally {
      signal?.removeEventListener('abort', cancel)
    }
  }

  /**
   * @param {string} key
   * @param {string} token
   * @param {boolean} turn
   */
  async unlock(key, token, turn) {
    const body = new Writer()
      .str(key)
      .version(token)
      .u8(turn ? 1 : 0)
    return (await this.#ask(KINDS.UNLOCK, body)).u8() === 1
  }

  /**
   * @param {string} key
   * @param {string} token
   * @param {number} lease
   */
  async renew(key, token, lease) {
    return (
      (await this.#ask(KINDS.RENEW, new Writer().str(key).version(token).f64(lease))).u8() === 1
    )
  }

  /**
   * @param {string} target
   * @param {boolean} prefix
   * @param {string | undefined} since
   * @param {import('./watch.js').Sink} sink
   */
  watch(target, prefix, since, sink) {
    const writer = new Writer().u8(prefix ? 1 : 0).u8(since === undefined ? 0 : 1)
    const body = writer
      .version(since ?? NONE)
      .str(target)
      .finish()
    const { id, promise } = this.#connection.begin(KINDS.WATCH, body)
    this.#sinks.set(id, sink)
    promise.then(
      () => sink.started(),
      (reason) => {
        if (this.#sinks.delete(id)) sink.failed(reason)
      },
    )
    return {
      close: () => {
        if (!this.#sinks.delete(id)) return
        if (!this.#connection.abandon(id, undefined)) this.#tell(KINDS.UNWATCH, id)
      },
      /** @param {boolean} paused */
      pause: (paused) => {
        const frame = new Writer(5)
          .u32(id)
          .u8(paused ? 1 : 0)
          .finish()
        return this.#connection.send(KINDS.PAUSE, 0, frame)
      },
    }
  }

  /**
   * @param {string} key
   * @param {{ hash: string, code: string }} description of a function
   * @param {readonly unknown[]} args
   * @returns {Promise<unknown>} what the owner answers
   */
  async runOnKey(key, { hash, code }, args) {
    const json = JSON.stringify({ hash, source: code })
    const { tag, data } = wire.put(key, encode(args), 0)
    const reader = await this.#ask(
      KINDS.RUN_ON_KEY,
      new Writer().str(key).str(json).value(tag, data),
    )
    return wire.readValue(reader)
  }

  async stats() {
    return JSON.parse((await this.#ask(KINDS.STATS, new Writer(0))).str())
  }

  /** The connection was lost: the other side knows of none of the watches any more. */
  lost() {
    const sinks = [...this.#sinks.values()]
    this.#sinks.clear()
    for (const sink of sinks) sink.lost()
  }

  /**
   * @param {number} kind
   * @param {InstanceType<typeof Writer>} writer
   */
  async #ask(kind, writer) {
    return new Reader(await this.#connection.begin(kind, writer.finish()).promise)
  }

  /**
   * @param {readonly Expected[]} expected
   * @param {readonly Write[]} writes
   */
  async #commit(expected, writes) {
    const answer = await this.#connection.begin(KINDS.COMMIT, wire.commitBody(expected, writes))
      .promise
    const reader = new Reader(answer)
    const done = reader.u8() === 1
    if (!done) reader.str()
    return { done, version: reader.version(), reader }
  }

  /**
   * @param {number} partition
   * @param {string} prefix
   * @param {string} after
   * @param {0 | 1} values
   */
  #scan(partition, prefix, after, values) {
    return this.#ask(KINDS.SCAN, new Writer().u8(partition).u8(values).str(prefix).str(after))
  }

  /**
   * Ends something at the other side that has a number. That it does not get there is no harm: with the
   * connection it ends too.
   * @param {number} kind
   * @param {number} id
   */
  #tell(kind, id) {
    this.#connection.send(kind, 0, new Writer(4).u32(id).finish())
  }
}

module.exports = RemoteMemory
