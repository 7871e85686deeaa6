'use strict'

// Reads are noted with their versions and writes wait; at the end all writes are done at once if
// everything that was read is still what it was, else the function runs again.

const {
  MAX_KEYS,
  error,
  badArgument,
  closed,
  checkKey,
  checkKeys,
  checkNumber,
  checkSetOptions,
  checkValues,
  checkVersion,
} = require('./check.js')
const { decode, tags } = require('../values')
const { pause, timeLeft } = require('./pause.js')
const { NONE } = require('./version.js')
const wire = require('./wire.js')

/** @typedef {import('./source.js')} Source */
/** @typedef {import('./wire.js').Entry} Entry */
/** @typedef {import('./wire.js').Write} Write */

/** What the function of a transaction sees of the memory. */
class Transaction {
  /** @type {Map<string, Promise<Entry | undefined>>} */
  #reads = new Map()
  /** @type {Map<string, string>} version by key, of what has been read */
  #versions = new Map()
  /** @type {Map<string, Write>} */
  #writes = new Map()
  #ended = false
  #source

  /** @param {Source} source */
  constructor(source) {
    this.#source = source
  }

  /** @param {string} key */
  async get(key) {
    return (await this.#entry(key))?.value
  }

  /** @param {readonly string[]} keys */
  async getMany(keys) {
    return wire.objectOf(await Promise.all(checkKeys(keys).map((key) => this.#entry(key))))
  }

  /** @param {string} key */
  async has(key) {
    return (await this.#entry(key)) !== undefined
  }

  /**
   * @param {string | object} first
   * @param {any} [second]
   * @param {import('../../types/shared-memory').SetOptions} [third]
   */
  async set(first, second, third) {
    const one = typeof first !== 'object' || first === null
    if (!one) checkValues(first)
    const values = one ? [[checkKey(first), second]] : Object.entries(first)
    const { ttl, expected, signal } = checkSetOptions(one ? third : second)
    if (!one && expected !== undefined && expected !== NONE)
      throw badArgument('ifVersion is for one key')
    signal?.throwIfAborted()
    if (expected !== undefined) {
      for (const [key] of values) {
        if ((await this.#version(key)) !== expected)
          throw error('ERR_NC_CONFLICT', 'the key has another version')
      }
    }
    for (const [key, value] of values) this.#write(key, value, ttl)
    return one ? NONE : undefined
  }

  /** @param {string} key */
  async delete(key) {
    const existed = (await this.#entry(key)) !== undefined
    this.#put(wire.remove(key))
    return existed
  }

  /**
   * @param {string} key
   * @param {number} [by]
   */
  async increment(key, by = 1) {
    checkNumber(by)
    await this.#entry(key)
    // Now, and not a turn later: somebody else may be incrementing it in the same transaction.
    const read = await this.#reads.get(key)
    const now = this.#known(key, read)
    const value = now === undefined ? 0 : now.value
    if (typeof value !== 'number')
      throw error('ERR_NC_INVALID_VALUE', 'only a number can be incremented')
    this.#write(key, value + by, timeLeft(read))
    return value + by
  }

  /**
   * @param {string} key
   * @param {string | undefined} expected
   * @param {unknown} value
   */
  async compareAndSet(key, expected, value) {
    checkKey(key)
    const version = checkVersion(expected, 'expected')
    if ((await this.#version(key)) !== version) return false
    this.#write(key, value, 0)
    return true
  }

  /**
   * Does what was written.
   * @returns {Promise<boolean>} false: something that was read has changed
   */
  async commit() {
    this.#ended = true
    const writes = [...this.#writes.values()]
    if (writes.length === 0 && this.#versions.size < 2) return true
    const expected = [...this.#versions].map(([key, version]) => ({ key, version }))
    if (expected.length > MAX_KEYS || writes.length > MAX_KEYS) {
      throw badArgument(`at most ${MAX_KEYS} keys in a transaction`)
    }
    return (await this.#source.run((backend) => backend.commit(expected, writes))).done
  }

  /** Whether what was read was there at one time. Nothing is written. */
  async isConsistent() {
    this.#writes.clear()
    return this.commit()
  }

  /** @param {string} key */
  async #entry(key) {
    this.#check(key)
    if (this.#writes.has(key)) return this.#known(key, undefined)
    return this.#known(key, await this.#read(key))
  }

  /** @param {string} key */
  #read(key) {
    const known = this.#reads.get(key)
    if (known !== undefined) return known
    const read = this.#readNow(key)
    this.#reads.set(key, read)
    return read
  }

  /** @param {string} key */
  async #readNow(key) {
    const entry = await this.#source.run((backend) => backend.entry(key))
    this.#versions.set(key, entry?.version ?? NONE)
    return entry
  }

  /**
   * An entry as the transaction has changed it.
   * @param {string} key
   * @param {Entry | undefined} read
   */
  #known(key, read) {
    const write = this.#writes.get(key)
    if (write === undefined) return read
    if (write.tag === tags.ABSENT) return undefined
    return wire.entryOf(key, decode(write.tag, write.data), NONE, 0)
  }

  /** @param {string} key */
  async #version(key) {
    this.#check(key)
    await this.#read(key)
    return this.#versions.get(key)
  }

  /**
   * @param {string} key
   * @param {unknown} value
   * @param {number} ttl
   */
  #write(key, value, ttl) {
    const write = this.#source.backend.write(key, value, ttl)
    // The caller may go on writing to its bytes.
    this.#put(
      write.tag === tags.BYTES
        ? { ...write, data: Uint8Array.from(/** @type {Uint8Array} */ (write.data)) }
        : write,
    )
  }

  /** @param {Write} write */
  #put(write) {
    this.#check(write.key)
    this.#writes.set(write.key, write)
  }

  /** @param {string} key */
  #check(key) {
    if (this.#ended) throw error('ERR_NC_CLOSED', 'the transaction has ended')
    checkKey(key)
  }
}

/**
 * @template R
 * @param {Source} source
 * @param {(transaction: Transaction) => R | Promise<R>} fn
 * @param {number} retries
 * @returns {Promise<R>}
 */
async function transact(source, fn, retries) {
  if (source.isClosed) throw closed()
  for (let attempt = 0; attempt <= retries; attempt++) {
    const transaction = new Transaction(source)
    const { result, failure } = await outcome(transaction, fn)
    if (failure === null) {
      if (await transaction.commit()) return result
    } else if (await transaction.isConsistent()) throw failure.reason
    await pause(attempt)
  }
  throw error('ERR_NC_CONFLICT', `others changed what the transaction read, ${retries + 1} times`)
}

/**
 * What the function throws counts only if all it read was there at one time.
 * @template R
 * @param {Transaction} transaction
 * @param {(transaction: Transaction) => R | Promise<R>} fn
 * @returns {Promise<{ result?: R, failure: { reason: unknown } | null }>}
 */
async function outcome(transaction, fn) {
  try {
    return { result: await fn(transaction), failure: null }
  } catch (reason) {
    return { failure: { reason } }
  }
}

module.exports = { transact }
