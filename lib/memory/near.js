'use strict'

// Values that a thread keeps, so that most reads need no native code. Each key has one of 65,536 words
// that all threads see and that counts the changes of the keys it belongs to: while the word is what it
// was before the value was read, the value is the current one.

const { isMainThread, getEnvironmentData, setEnvironmentData } = require('node:worker_threads')
const native = require('../core/native.js')

const WORDS = 65_536
/** Another copy of this package has an addon, and words, of its own. */
const NAME = `es-networkcluster:near:${__dirname}`

/** @type {Int32Array | null | undefined} */
let words

/** @returns {Int32Array | null} null in threads that were started before the words were there */
function nearWords() {
  if (words !== undefined) return words
  const shared = getEnvironmentData(NAME) ?? (isMainThread ? firstWords() : null)
  words = shared instanceof SharedArrayBuffer ? new Int32Array(shared) : null
  return words
}

function firstWords() {
  const shared = new SharedArrayBuffer(4 * WORDS)
  if (!native.memoryWords(new Uint32Array(shared))) return null
  setEnvironmentData(NAME, shared)
  return shared
}

/** A key's word, and what was under it when that said `seen`. */
class Near {
  seen = 0
  /** The first read of a key only learns its word. */
  known = false
  /** @type {any} */
  value = undefined

  /** @param {number} word */
  constructor(word) {
    this.word = word
  }
}

class NearCache {
  /** @type {Map<string, Near>} */
  #entries = new Map()
  #words
  #most

  /**
   * @param {Int32Array} words
   * @param {number} most keys
   * @param {boolean} objects whether objects are kept too: frozen, and the same one each time
   */
  constructor(words, most, objects) {
    this.#words = words
    this.#most = most
    this.objects = objects
  }

  /** @param {string} key */
  find(key) {
    return this.#entries.get(key)
  }

  /**
   * Whether the value is the current one. A plain read is enough, and a third of what an atomic one costs:
   * whoever knows of a write, knows it by something that has the word read as it was after it.
   * @param {Near} near
   */
  holds(near) {
    return near.known && this.#words[near.word] === near.seen
  }

  /**
   * What the key's word says. To be asked before the value is read.
   * @param {Near} near
   */
  current(near) {
    return Atomics.load(this.#words, near.word)
  }

  /**
   * @param {string} key
   * @param {number} word
   */
  add(key, word) {
    if (this.#entries.size >= this.#most) this.#shrink()
    this.#entries.set(key, new Near(word))
  }

  /** Forgets the older half. */
  #shrink() {
    let count = Math.ceil(this.#most / 2)
    for (const key of this.#entries.keys()) {
      this.#entries.delete(key)
      if (--count === 0) return
    }
  }
}

/**
 * The near cache of a memory in this thread.
 * @param {import('./options.js').MemoryOptions} options
 */
function nearCache({ nearEntries, nearObjects }) {
  // Threads that are started later may want the words, even if this one does not.
  const words = nearWords()
  if (words === null || nearEntries === 0) return null
  return new NearCache(words, nearEntries, nearObjects)
}

/** What JSON.parse made, so that all who get the same object find the same in it. */
function freeze(value) {
  if (typeof value !== 'object' || value === null) return value
  for (const key of Object.keys(value)) freeze(value[key])
  return Object.freeze(value)
}

module.exports = { NearCache, nearCache, freeze }
