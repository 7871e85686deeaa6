'use strict'

// A single call without options: the job that most calls are. It is one step for the core, where a `Job`
// is several, and has one item, whose result nobody waits for but the caller.

const { decodeItems } = require('../values/index.js')
const { errorOf } = require('./errors.js')
const { RECORD, RETRIES, refused, told } = require('./job.js')
const { workOptions } = require('./options.js')

const TOLD = JSON.stringify(told('call', workOptions('run', undefined), null))

/** @typedef {import('./job').Compute} Compute */

class Call {
  #compute
  #id = 0
  #resolve
  #reject
  /** @type {unknown} */
  #result

  /**
   * @param {Compute} compute
   * @param {(result: unknown) => void} resolve
   * @param {(error: unknown) => void} reject
   */
  constructor(compute, resolve, reject) {
    this.#compute = compute
    this.#resolve = resolve
    this.#reject = reject
  }

  /**
   * @param {any} called the function's description, or what is known of one that has no text
   * @param {{ tag: number, data: any }} args encoded
   */
  submit(called, args) {
    const compute = this.#compute
    if (compute.refusal) throw compute.refusal
    this.#id = this.#push(called, args)
    if (this.#id === 0) {
      compute.register(called)
      this.#id = this.#push(called, args)
    }
    compute.jobs.set(this.#id, this)
  }

  /**
   * @param {any} called
   * @param {{ tag: number, data: any }} args
   * @returns {number} 0 if the function has to be registered
   */
  #push({ hash, code }, { tag, data }) {
    const { pool, retries = RETRIES } = this.#compute
    try {
      return pool.call(hash, code !== undefined, TOLD, retries, tag, data)
    } catch (cause) {
      throw refused(cause)
    }
  }

  /**
   * @param {number} kind
   * @param {any[]} records of `NativePool.drain()`
   * @param {number} at where this one's fields start
   */
  onRecord(kind, records, at) {
    try {
      if (kind === RECORD.RESULT) [this.#result] = decodeItems(records[at + 3], records[at + 4])
      else if (kind === RECORD.DONE) this.#resolve(this.#result)
      else if (kind === RECORD.FAILED) this.#reject(errorOf(records[at + 1], records[at + 2]))
    } catch (error) {
      // A result that cannot be read.
      this.#compute.jobs.delete(this.#id)
      this.#compute.pool.cancel(this.#id)
      this.#reject(error)
    }
  }
}

/**
 * @param {Compute} compute
 * @param {any} called
 * @param {{ tag: number, data: any }} args encoded
 * @returns {Promise<any>} what the function returns
 */
function call(compute, called, args) {
  return new Promise((resolve, reject) => {
    new Call(compute, resolve, reject).submit(called, args)
  })
}

module.exports = { call }
