'use strict'

// A memory of a joined address in few words: natively if this process serves it, else over the link.

const native = require('../../../lib/core/native')
const { frames } = require('../../../lib/link')

const { KINDS, TAGS, Reader, Writer } = frames

/** @param {string} key @param {number} value */
function put(key, value) {
  return new Writer().u16(0).u16(1).str(key).u8(1).f64(0).value(TAGS.NUMBER, value).finish()
}

/** @param {string} key */
function getBody(key) {
  return new Writer().u16(1).str(key).finish()
}

/** @param {Uint8Array} body of the answer to a GET of one key */
function readGet(body) {
  const reader = new Reader(body)
  const version = reader.version()
  reader.f64()
  return /^0+$/.test(version) ? undefined : reader.value()
}

class Memory {
  #joined
  #native

  constructor(joined) {
    this.#joined = joined
  }

  async set(key, value) {
    await this.#joined.ready
    if (this.#joined.local) this.#here().setNumber(key, value)
    else await this.#joined.client.request(KINDS.COMMIT, put(key, value))
  }

  async get(key) {
    await this.#joined.ready
    if (this.#joined.local) return this.#here().get(key)
    return readGet(await this.#joined.client.request(KINDS.GET, getBody(key)))
  }

  async increment(key, by = 1) {
    await this.#joined.ready
    if (this.#joined.local) return this.#here().increment(key, by)
    const body = new Writer().str(key).f64(by).finish()
    return new Reader(await this.#joined.client.request(KINDS.INCREMENT, body)).f64()
  }

  #here() {
    if (!this.#native) {
      this.#native = new native.NativeMemory(this.#joined.memoryName)
      this.#native.scratch(new Float64Array(8))
    }
    return this.#native
  }
}

module.exports = { Memory, put, getBody, readGet }
