'use strict'

// What a function that runs elsewhere sees of a memory, and what a memory has besides of its own.

const {
  MAX_KEYS,
  badArgument,
  error,
  checkKey,
  checkKeys,
  checkNumber,
  checkSetOptions,
  checkValues,
  checkVersion,
} = require('./check.js')
const { NONE } = require('./version.js')
const { objectOf } = require('./wire.js')

/** @typedef {import('./source.js')} Source */
/** @typedef {import('../../types/shared-memory').SetOptions} SetOptions */

class MemoryScope {
  #source

  /** @param {Source} source */
  constructor(source) {
    this.#source = source
  }

  /** @param {string} key */
  async get(key) {
    checkKey(key)
    return this.#source.run((backend) => backend.get(key))
  }

  /** @param {readonly string[]} keys */
  async getMany(keys) {
    const wanted = checkKeys(keys)
    return objectOf(await this.#source.run((backend) => backend.entries(wanted)))
  }

  /** @param {string} key */
  async has(key) {
    checkKey(key)
    return this.#source.run((backend) => backend.has(key))
  }

  /**
   * @param {string | object} first a key, or values by key
   * @param {any} [second] the value, or options
   * @param {SetOptions} [third]
   */
  async set(first, second, third) {
    if (typeof first === 'object' && first !== null) return this.#setAll(first, second)
    const key = checkKey(first)
    if (third === undefined) return this.#source.run((backend) => backend.set(key, second))
    const { ttl, expected, signal } = checkSetOptions(third)
    signal?.throwIfAborted()
    const version = this.#commit([key], () => [second], ttl, expected)
    return abortable(version, signal)
  }

  /**
   * @param {object} values
   * @param {SetOptions} [options]
   */
  async #setAll(values, options) {
    const { ttl, expected, signal } = checkSetOptions(options)
    if (expected !== undefined && expected !== NONE) throw badArgument('ifVersion is for one key')
    const keys = checkValues(values)
    if (keys.length > MAX_KEYS) throw badArgument(`at most ${MAX_KEYS} keys at once`)
    signal?.throwIfAborted()
    if (keys.length === 0) return
    await abortable(
      this.#commit(keys, () => Object.values(values), ttl, expected),
      signal,
    )
  }

  /**
   * @param {readonly string[]} keys
   * @param {() => readonly unknown[]} values
   * @param {number} ttl
   * @param {string | undefined} version expected of each
   */
  async #commit(keys, values, ttl, version) {
    const { done, version: now } = await this.#source.run((backend) => {
      const all = values()
      const writes = keys.map((key, i) => {
        try {
          return backend.write(key, all[i], ttl)
        } catch (refusal) {
          throw keys.length === 1 ? refusal : named(key, refusal)
        }
      })
      const expected = version === undefined ? [] : keys.map((key) => ({ key, version }))
      return backend.commit(expected, writes)
    })
    if (done) return now
    throw error(
      'ERR_NC_CONFLICT',
      version === NONE ? 'the key exists' : 'the key has another version',
    )
  }

  /** @param {string} key */
  async delete(key) {
    checkKey(key)
    return this.#source.run((backend) => backend.delete(key))
  }

  /**
   * @param {string} key
   * @param {number} [by]
   */
  async increment(key, by = 1) {
    checkKey(key)
    checkNumber(by)
    return this.#source.run((backend) => backend.increment(key, by))
  }

  /**
   * @param {string} key
   * @param {string | undefined} expected
   * @param {unknown} value
   */
  async compareAndSet(key, expected, value) {
    checkKey(key)
    const version = checkVersion(expected, 'expected')
    const { done } = await this.#source.run((backend) =>
      backend.commit([{ key, version }], [backend.write(key, value, 0)]),
    )
    return done
  }
}

/**
 * @param {string} key one of several
 * @param {any} refusal of its value
 */
function named(key, refusal) {
  if (refusal?.code === 'ERR_NC_INVALID_VALUE') {
    refusal.message = `of the key ${JSON.stringify(key)}, ${refusal.message}`
  }
  return refusal
}

/**
 * A result, or an abort if that comes first: what was asked may then still happen.
 * @template T
 * @param {Promise<T>} result
 * @param {AbortSignal | undefined} signal
 * @returns {Promise<T>}
 */
function abortable(result, signal) {
  if (signal === undefined) return result
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    result.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

module.exports = MemoryScope
