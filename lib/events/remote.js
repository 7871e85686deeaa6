'use strict'

const { bytesOf, encode } = require('../values/index.js')
const { Reader, Writer, KINDS } = require('../link/frames.js')
const argsOf = require('./args.js')

/** Emits through the process that serves the address. */
class RemoteBus {
  #client
  #deliver
  /** Events that are listened to, to say so again on a new connection. @type {Set<string>} */
  #names = new Set()

  /**
   * @param {InstanceType<typeof import('../link/client.js').Client>} client
   * @param {(name: string, args: unknown[]) => void} deliver
   */
  constructor(client, deliver) {
    this.#client = client
    this.#deliver = deliver
    client.onPush(KINDS.EVENTS, (_id, body) => this.#onEvents(body))
    client.on('up', () => {
      for (const name of this.#names) this.#tell(KINDS.SUBSCRIBE, name)
    })
  }

  /** @param {string} name */
  subscribe(name) {
    this.#names.add(name)
    if (this.#client.connected) this.#tell(KINDS.SUBSCRIBE, name)
    return true
  }

  /** @param {string} name */
  unsubscribe(name) {
    this.#names.delete(name)
    if (this.#client.connected) this.#tell(KINDS.UNSUBSCRIBE, name)
  }

  get names() {
    return this.#names.values()
  }

  /**
   * Without a connection the event waits for one, as long as an operation does.
   * @param {string} name
   * @param {unknown[]} args
   */
  emit(name, args) {
    const { connected } = this.#client
    const body = bodyOf(!connected, name, args)
    if (connected) return this.#client.send(KINDS.EMIT, 0, body)
    try {
      this.#client.request(KINDS.EMIT, body).catch(() => {})
      return true
    } catch {
      return false
    }
  }

  /**
   * @param {string} name
   * @param {unknown[]} args
   */
  async emitAndCount(name, args) {
    const answer = await this.#client.request(KINDS.EMIT, bodyOf(true, name, args))
    return new Reader(answer).u32()
  }

  async stats() {
    const answer = await this.#client.request(KINDS.STATS)
    return { ...JSON.parse(new Reader(answer).str()), waiting: 0 }
  }

  /** @param {Uint8Array} body */
  #onEvents(body) {
    const reader = new Reader(body)
    for (let left = reader.u32(); left > 0; left--) {
      const name = reader.str()
      const data = reader.value()
      const args = argsOf(reader.tag, data)
      if (args !== null) this.#deliver(name, args)
    }
  }

  /**
   * @param {number} kind
   * @param {string} name
   */
  #tell(kind, name) {
    this.#client.send(kind, 0, new Writer().str(name).finish())
  }
}

/**
 * @param {boolean} count
 * @param {string} name
 * @param {unknown[]} args
 */
function bodyOf(count, name, args) {
  const bytes = bytesOf(encode(args))
  return new Writer(32 + 3 * name.length + bytes.length)
    .u8(Number(count))
    .str(name)
    .value(encode.tag, bytes)
    .finish()
}

module.exports = RemoteBus
