'use strict'

// A memory of this process: the same one for all threads that name it.

const native = require('../core/native.js')
const { encode, decode, tags } = require('../values')
const { fill, page } = require('../values/page.js')
const { encodeJson } = require('./codec.js')
const { checkKey } = require('./check.js')
const { coded, recoded } = require('./coded.js')
const { nearCache, freeze } = require('./near.js')
const { pause } = require('./pause.js')
const Waits = require('./waits.js')
const { NONE, versionOf, upperOf, lowerOf } = require('./version.js')
const wire = require('./wire.js')

const { ABSENT, NUMBER, LATIN1, UTF16, STRUCTURED, BYTES, JSON: TEXT, JSON16 } = tags

// What the addon tells besides the result of a call: see NativeMemory.
const TAG = 0
const UPPER = 1
const LOWER = 2
const ENDS = 3
const WORD = 4
const CONFLICT = 5

/** @typedef {import('./options.js').MemoryOptions} MemoryOptions */
/** @typedef {import('./wire.js').Write} Write */
/** @typedef {import('./wire.js').Expected} Expected */
/** @typedef {{ done: boolean, version: string }} Committed `version`: of what was written, or there */

class LocalMemory {
  /** @type {true} */
  local = true
  /** @type {true} */
  here = true
  #out = new Float64Array(8)
  #native
  #near
  #encode
  #waits

  /**
   * @param {string} name of the memory in this process
   * @param {MemoryOptions} options
   */
  constructor(name, options) {
    this.#native = coded(() => new native.NativeMemory(name, options.limits))
    this.#native.scratch(this.#out)
    this.#native.page(page)
    this.#near = nearCache(options)
    this.#encode = options.json ? encodeJson : encode
    this.#waits = new Waits(this.#native)
  }

  /** @param {string} key */
  get(key) {
    const near = this.#near
    // What is kept has been checked.
    const found = near?.find(key)
    if (found !== undefined && near.holds(found)) return found.value
    checkKey(key)
    if (near === null) return this.#read(key)
    if (found === undefined) {
      const value = this.#read(key)
      near.add(key, this.#out[WORD])
      return value
    }
    const current = near.current(found)
    const value = this.#read(key)
    found.known = this.#out[ENDS] === 0 && (near.objects ? !opaque(this.#out[TAG]) : plain(value))
    found.seen = current
    found.value = found.known ? value : undefined
    return value
  }

  /** @param {string} key */
  #read(key) {
    const data = this.#native.get(key)
    const tag = this.#out[TAG]
    if (tag === NUMBER || tag === LATIN1 || tag === UTF16) return data
    const value = decode(tag, data)
    return this.#near?.objects && (tag === TEXT || tag === JSON16) ? freeze(value) : value
  }

  /** @param {string} key */
  entry(key) {
    const data = coded(() => this.#native.get(key))
    const out = this.#out
    const tag = out[TAG]
    if (tag === ABSENT) return undefined
    const version = versionOf(out[UPPER], out[LOWER])
    const ends = out[ENDS]
    return wire.entryOf(key, decode(tag, data), version, ends)
  }

  /** @param {readonly string[]} keys */
  entries(keys) {
    const entries = keys.map((key) => this.entry(key))
    return keys.length < 2 || this.#together(keys, entries) ? entries : this.#again(keys)
  }

  /**
   * @param {readonly string[]} keys
   * @returns {Promise<(wire.Entry | undefined)[]>}
   */
  async #again(keys) {
    for (let attempt = 0; ; attempt++) {
      const entries = keys.map((key) => this.entry(key))
      if (this.#together(keys, entries)) return entries
      await pause(attempt)
    }
  }

  /**
   * Whether entries that were read one after the other were all there at one time.
   * @param {readonly string[]} keys
   * @param {readonly (wire.Entry | undefined)[]} entries
   */
  #together(keys, entries) {
    const expected = keys.map((key, i) => ({ key, version: entries[i]?.version ?? NONE }))
    return this.commitNow(expected, [])
  }

  /** @param {string} key */
  has(key) {
    return coded(() => this.#native.has(key))
  }

  /**
   * Sets a value, at once.
   * @param {string} key
   * @param {unknown} value
   */
  setNow(key, value) {
    const memory = this.#native
    try {
      if (typeof value === 'number') memory.setNumber(key, value)
      else if (typeof value === 'string') memory.setString(key, value, false)
      else this.#setOther(key, value)
    } catch (cause) {
      throw recoded(cause)
    }
  }

  /**
   * @param {string} key
   * @param {unknown} value
   */
  #setOther(key, value) {
    const length = fill(value)
    if (length >= 0) {
      this.#native.setPage(key, fill.tag, length)
      return
    }
    const data = this.#encode(value)
    const { tag } = encode
    if (tag === TEXT) this.#native.setString(key, /** @type {string} */ (data), true)
    else if (tag === STRUCTURED || tag === BYTES) {
      this.#native.setBytes(key, tag, /** @type {Uint8Array} */ (data))
    } else this.#native.setTag(key, tag)
  }

  /**
   * @param {string} key
   * @param {unknown} value
   * @returns {string | Promise<string>} the version
   */
  set(key, value) {
    this.setNow(key, value)
    return this.#kept(this.#version())
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
   * Writes all or, if a key does not have the version expected, nothing.
   * @param {readonly Expected[]} expected
   * @param {readonly Write[]} writes
   * @returns {Committed | Promise<Committed>}
   */
  commit(expected, writes) {
    return this.commitBody(wire.commitBody(expected, writes))
  }

  /**
   * As `commit`, of what was encoded before.
   * @param {Uint8Array} body
   * @returns {Committed | Promise<Committed>}
   */
  commitBody(body) {
    const ticket = this.#commit(body)
    const result = { done: this.#out[CONFLICT] === 0, version: this.#version() }
    return ticket === 0 ? result : this.#waits.ticket(ticket).then(() => result)
  }

  /**
   * As `commit`, at once.
   * @param {readonly Expected[]} expected
   * @param {readonly Write[]} writes
   * @returns {boolean} whether it was done
   */
  commitNow(expected, writes) {
    this.#commit(wire.commitBody(expected, writes))
    return this.#out[CONFLICT] === 0
  }

  /** @param {Uint8Array} body */
  #commit(body) {
    return coded(() => this.#native.commit(body))
  }

  /**
   * @param {string} key
   * @param {number} by
   */
  increment(key, by) {
    return this.#kept(coded(() => this.#native.increment(key, by)))
  }

  /** @param {string} key */
  delete(key) {
    return this.#kept(coded(() => this.#native.delete(key)))
  }

  /**
   * @param {number} partition
   * @param {string} prefix
   * @param {string} after the last key of the page before; '' for the first one
   */
  keys(partition, prefix, after) {
    return wire.readKeys(coded(() => this.#native.scan(partition, prefix, after, false)))
  }

  /**
   * @param {number} partition
   * @param {string} prefix
   * @param {string} after as for `keys`
   */
  scan(partition, prefix, after) {
    return wire.readEntries(coded(() => this.#native.scan(partition, prefix, after, true)))
  }

  /**
   * @param {string} key
   * @param {number} lease milliseconds; 0: while this thread lives
   * @param {boolean} turn
   * @param {AbortSignal} [signal]
   * @returns {Promise<string>} the token, a version
   */
  lock(key, lease, turn, signal) {
    return coded(() => this.#waits.lock(key, lease, turn, signal))
  }

  /**
   * @param {string} key
   * @param {string} token
   * @param {boolean} turn
   * @returns {boolean} whether it was held until now
   */
  unlock(key, token, turn) {
    return coded(() => this.#native.unlock(key, upperOf(token), lowerOf(token), turn))
  }

  /**
   * @param {string} key
   * @param {string} token
   * @param {number} lease milliseconds from now
   * @returns {boolean} whether it is held
   */
  renew(key, token, lease) {
    return coded(() => this.#native.renew(key, upperOf(token), lowerOf(token), lease))
  }

  /**
   * @param {string} target a key, or what keys begin with
   * @param {boolean} prefix
   * @param {string | undefined} since
   * @param {import('./watch.js').Sink} sink
   */
  watch(target, prefix, since, sink) {
    const from = since !== undefined
    return coded(() => this.#waits.watch(target, prefix, since ?? NONE, from, sink))
  }

  stats() {
    return coded(() => this.#native.stats())
  }

  /** @param {Error} reason what pending operations reject with */
  close(reason) {
    this.#waits.close(reason)
    this.#native.close()
  }

  #version() {
    return versionOf(this.#out[UPPER], this.#out[LOWER])
  }

  /**
   * A result, once it will survive a crash if that was asked for.
   * @template T
   * @param {T} result
   * @returns {T | Promise<T>}
   */
  #kept(result) {
    const ticket = this.#native.pendingTicket()
    return ticket === 0 ? result : this.#waits.ticket(ticket).then(() => result)
  }
}

/** Whether a value can be given to several without them seeing what another one does to it. */
function plain(value) {
  return typeof value !== 'object' || value === null
}

/** @param {number} tag of objects that cannot be frozen throughout */
function opaque(tag) {
  return tag === STRUCTURED || tag === BYTES
}

module.exports = LocalMemory
