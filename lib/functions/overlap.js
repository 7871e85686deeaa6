'use strict'

// Items whose function answers with a promise: several are under way at a time.

const ItemError = require('./item-error')

/**
 * @typedef {object} Overlap
 * @property {number} from the first item to call the function for
 * @property {number} count one more than the last
 * @property {{ index: number, value: PromiseLike<unknown> }} [pending] an item already under way
 * @property {number} limit most items under way
 * @property {(index: number) => unknown} call
 * @property {(index: number, value: unknown) => void} store
 * @property {((index: number, cause: unknown) => void)} [failed] told of failures, which then do not end it
 * @property {AbortSignal} [signal] aborted: no item is started any more
 * @property {number} first what to add to an index for the caller
 */

/**
 * Calls the function for the remaining items, in order. After a failure none is started; of several
 * failures that of the first item counts, as if they had run one after the other.
 *
 * @param {Overlap} overlap
 * @returns {Promise<void>} rejects with an ItemError
 */
function overlapped({ from, count, pending, limit, call, store, failed, signal, first }) {
  return new Promise((resolve, reject) => {
    let next = from
    /** @type {ItemError | undefined} */
    let failure
    /** @type {Set<number>} in the order in which they were started */
    const active = new Set()

    /** @param {number} index @param {unknown} cause */
    const fail = (index, cause) => {
      if (failed !== undefined) return failed(first + index, cause)
      if (failure === undefined || first + index < failure.index) {
        failure = new ItemError(first + index, cause)
      }
    }
    /** @param {number} index @param {unknown} value */
    const settle = (index, value) => {
      try {
        store(index, value)
      } catch (cause) {
        fail(index, cause)
      }
    }
    /**
     * @param {number} index
     * @param {PromiseLike<unknown>} promise
     */
    const follow = (index, promise) => {
      active.add(index)
      /** @param {(index: number, outcome: unknown) => void} note */
      const ended = (note) => (/** @type {unknown} */ outcome) => {
        try {
          note(index, outcome)
          active.delete(index)
          step()
        } catch (error) {
          reject(error)
        }
      }
      Promise.resolve(promise).then(ended(settle), ended(fail))
    }
    const mayStart = () => failure === undefined && next < count && active.size < limit
    const step = () => {
      if (failure === undefined && next < count && signal?.aborted) {
        failure = new ItemError(first + next, signal.reason)
      }
      while (mayStart()) start(next++)
      if (failure !== undefined) {
        // Only an earlier item can still change which failure counts.
        for (const index of active) if (first + index < failure.index) return
        reject(failure)
      } else if (active.size === 0 && next >= count) resolve()
    }
    /** @param {number} index */
    const start = (index) => {
      try {
        const value = call(index)
        if (isThenable(value)) follow(index, value)
        else settle(index, value)
      } catch (cause) {
        fail(index, cause)
      }
    }

    if (pending !== undefined) follow(pending.index, pending.value)
    step()
  })
}

/**
 * @param {any} value
 * @returns {value is PromiseLike<unknown>}
 */
function isThenable(value) {
  return typeof value === 'object' && value !== null && typeof value.then === 'function'
}

module.exports = { overlapped, isThenable }
