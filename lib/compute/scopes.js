'use strict'

// The memories that functions read as their scope.

const { NetworkClusterError } = require('../core/network-cluster-error')
const { shown } = require('./options.js')

/**
 * @typedef {object} OpenedScope
 * @property {any} scope what the function gets
 * @property {(keys: readonly string[]) => any[] | Promise<any[]> | null} read the values of the keys, all
 *   of one moment; null for no keys
 */
/** @typedef {(descriptor: any) => any} OpenMemory */

/** The memories of a worker: each is opened once. */
class Scopes {
  #open
  /** @type {Map<string, { memory: any, opened: OpenedScope }>} by the descriptor's text */
  #memories = new Map()

  /** @param {OpenMemory} [open] */
  constructor(open) {
    this.#open = open
  }

  /**
   * @param {object} descriptor
   * @returns {OpenedScope}
   */
  get(descriptor) {
    const key = JSON.stringify(descriptor)
    let known = this.#memories.get(key)
    if (known === undefined) {
      const memory = this.#open ? this.#open(descriptor) : memories().openMemory(descriptor)
      known = { memory, opened: scopeOf(memory) }
      this.#memories.set(key, known)
    }
    return known.opened
  }

  close() {
    for (const { memory } of this.#memories.values()) memory.close()
    this.#memories.clear()
  }
}

/** Loaded when a function first has a scope. */
const memories = () => require('../memory')

/**
 * @param {any} memory
 * @returns {OpenedScope}
 */
function scopeOf(memory) {
  return {
    scope: memories().scopeOver(memory),
    read: (keys) => {
      if (keys.length === 0) return null
      return (keys.length === 1 && readHere(memory, keys[0])) || readMany(memory, keys)
    },
  }
}

/**
 * @param {any} memory
 * @param {string} key
 * @returns {any[] | undefined} undefined if the memory is in another process
 */
function readHere(memory, key) {
  try {
    return [memory.getSync(key)]
  } catch (error) {
    if (/** @type {any} */ (error).code !== 'ERR_NC_NOT_OWNER') throw error
    return undefined
  }
}

/**
 * @param {any} memory
 * @param {readonly string[]} keys
 * @returns {Promise<any[]>}
 */
async function readMany(memory, keys) {
  const values = await memory.getMany(keys)
  return keys.map((key) => (Object.hasOwn(values, key) ? values[key] : undefined))
}

/** @param {any} memory */
function assertMemory(memory) {
  if (typeof memory?.getMany !== 'function' || typeof memory.getSync !== 'function') {
    throw new NetworkClusterError(
      'ERR_NC_INVALID_ARG',
      `useScope(memory) needs a SharedMemory, not ${shown(memory)}`,
    )
  }
}

/**
 * What a worker opens the memory with.
 * @param {any} memory
 * @returns {object}
 */
function describeMemory(memory) {
  return memories().describeMemory(memory)
}

module.exports = { Scopes, scopeOf, assertMemory, describeMemory }
