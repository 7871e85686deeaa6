'use strict'

// Results as they come, and a source that is pulled no faster than they are read.

const { blocksOf, BLOCK } = require('./inline.js')
const { collectedErrors } = require('./results.js')
const { Pull } = require('./source.js')
const { MOST_ERRORS, StreamResults } = require('./stream-results.js')
const { isInline, makeInline } = require('./task.js')

/** @typedef {import('./task').Task} Task */

/**
 * @param {Task} task
 * @returns {AsyncIterableIterator<any>}
 */
function streamTask(task) {
  if (isInline(task)) return inlineStream(task)
  return new ResultStream({ ...task, source: pulled(task.source) })
}

/**
 * Of a list too, only so much is done as is read.
 * @param {import('./source').Source} source
 * @returns {import('./source').Source}
 */
function pulled({ list, pull }) {
  return list === undefined ? { pull } : { pull: new Pull(list), size: list.length }
}

/** @param {Task} task */
async function* inlineStream(task) {
  const inline = makeInline(task)
  /** @type {any[]} */
  const errors = []
  const failed = new Set()
  const how = { signal: task.options.signal, listed: BLOCK, pulled: 1 }
  for await (const block of blocksOf(task.source, how)) {
    const { first } = block
    failed.clear()
    const results = await inline.run(block, (error) => {
      failed.add(error.itemIndex)
      errors.push(error)
    })
    for (let i = 0; i < results.length; i++) if (!failed.has(first + i)) yield results[i]
    inline.forget()
  }
  if (errors.length > 0)
    throw collectedErrors(errors.slice(0, MOST_ERRORS), undefined, errors.length)
}

/** Ends the work for readers that were collected: nobody can ask for the rest. */
const unread = new FinalizationRegistry(
  (/** @type {InstanceType<typeof StreamResults>} */ results) => results.stop(),
)

/** @implements {AsyncIterableIterator<any>} */
class ResultStream {
  #results

  /** @param {Task} task */
  constructor(task) {
    this.#results = new StreamResults(task)
    unread.register(this, this.#results)
  }

  [Symbol.asyncIterator]() {
    return this
  }

  /** @returns {Promise<IteratorResult<any>>} */
  next() {
    return this.#results.next(this)
  }

  /**
   * Nobody wants the rest.
   * @param {any} [value]
   * @returns {Promise<IteratorResult<any>>}
   */
  async return(value) {
    this.#results.stop()
    return { value, done: true }
  }

  /**
   * @param {unknown} [error]
   * @returns {Promise<IteratorResult<any>>}
   */
  async throw(error) {
    this.#results.stop()
    throw error
  }
}

module.exports = { streamTask }
