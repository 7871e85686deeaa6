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
/** @typedef {(described: any) => { scope: any, close: () => void }} OpenScope */

/** The memories of a worker: each is opened once. */
class Scopes {
  #open
  /** @type {Map<string, { opened: OpenedScope, close: () => void }>} by the description's text */
  #scopes = new Map()

  /** @param {OpenScope} [open] by default opens the memory in this process */
  constructor(open = openHere) {
    this.#open = open
  }

  /**
   * @param {object} described what `describeMemory` gave
   * @returns {OpenedScope}
   */
  get(described) {
    const key = JSON.stringify(described)
    let known = this.#scopes.get(key)
    if (known === undefined) {
      const { scope, close } = this.#open(described)
      known = { opened: scopeOf(scope), close }
      this.#scopes.set(key, known)
    }
    return known.opened
  }

  close() {
    for (const { close } of this.#scopes.values()) close()
    this.#scopes.clear()
  }
}

/** Loaded when a function first has a scope. */
const memories = () => require('../memory')

/** @type {OpenScope} */
function openHere(described) {
  const memory = memories().openMemory(described)
  return { scope: memory, close: () => void memory.close() }
}

/**
 * @param {any} scope a memory, or what stands for one that is elsewhere
 * @returns {OpenedScope}
 */
function scopeOf(scope) {
  return {
    scope,
    read: (keys) => {
      if (keys.length === 0) return null
      return (keys.length === 1 && readHere(scope, keys[0])) || readMany(scope, keys)
    },
  }
}

/**
 * @param {any} memory
 * @param {string} key
 * @returns {any[] | undefined} undefined if the memory is in another process, or not read yet
 */
function readHere(memory, key) {
  if (memory.getSync === undefined) return undefined
  try {
    return [memory.getSync(key)]
  } catch (error) {
    const { code } = /** @type {any} */ (error)
    if (code !== 'ERR_NC_NOT_OWNER' && code !== 'ERR_NC_NOT_READY') throw error
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
 * What workers are told of the memory, once its directory has been read if it has one.
 * @param {any} memory
 * @returns {object | Promise<object>}
 */
function describeMemory(memory) {
  return memories().describeMemory(memory)
}

module.exports = { Scopes, scopeOf, assertMemory, describeMemory }
