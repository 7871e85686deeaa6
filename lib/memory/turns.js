'use strict'

// The turn of a key: who has it is the only one that changes the key by a function.

const { AsyncLocalStorage } = require('node:async_hooks')
const { error } = require('./check.js')

/** The turns that whoever runs now has been given. */
const held = /** @type {AsyncLocalStorage<Set<string>>} */ (new AsyncLocalStorage())

/**
 * @param {string} name of the memory
 * @param {string} key
 */
function turnOf(name, key) {
  return JSON.stringify([name, key])
}

/**
 * Whether whoever asks has the turn already: it would wait for itself.
 * @param {string} name
 * @param {string} key
 */
function hasTurn(name, key) {
  return held.getStore()?.has(turnOf(name, key)) === true
}

/**
 * Does something when it is the caller's turn.
 * @template T
 * @param {import('./source.js').Backend} backend
 * @param {string} name of the memory
 * @param {string} key
 * @param {() => T | Promise<T>} act
 * @param {AbortSignal} [signal]
 * @returns {Promise<T>}
 */
async function inTurn(backend, name, key, act, signal) {
  if (hasTurn(name, key)) {
    throw error(
      'ERR_NC_CONFLICT',
      `the function that runs on the key ${JSON.stringify(key)} waits for itself`,
    )
  }
  const token = await backend.lock(key, 0, true, signal)
  const turn = turnOf(name, key)
  const mine = new Set(held.getStore()).add(turn)
  try {
    return await held.run(mine, act)
  } finally {
    // What it has begun and not waited for may ask for a turn of its own from now on.
    mine.delete(turn)
    await end(backend, key, token)
  }
}

/**
 * @param {import('./source.js').Backend} backend
 * @param {string} key
 * @param {string} token
 */
async function end(backend, key, token) {
  try {
    await backend.unlock(key, token, true)
  } catch {
    // Closed or disconnected: the turn has ended with that.
  }
}

module.exports = { hasTurn, inTurn }
