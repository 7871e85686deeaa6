'use strict'

// Results as they come, and a source that is pulled no faster than they are read.

const answers = require('./answers.js')
const { errorOf } = require('./errors.js')
const { blocksOf, BLOCK } = require('./inline.js')
const { collectedErrors } = require('./results.js')
const { Pull } = require('./source.js')
const { inWorkers, isInline, makeInline, pullWindow, startJob } = require('./task.js')

/** Items of a block. */
const MOST_ITEMS = 1024
/** Errors that `onError: 'collect'` keeps of a stream, which may have no end. */
const MOST_ERRORS = 1000

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

/** @implements {AsyncIterableIterator<any>} */
class ResultStream {
  #task
  /** @type {InstanceType<typeof import('./job').Job> | undefined} */
  #job
  /** @type {InstanceType<typeof import('./window').Window> | undefined} */
  #window
  #started = false
  /** @type {{ error: unknown } | 'running' | 'over'} */
  #state = /** @type {any} */ ('running')
  /** @type {any[]} to be read next */
  #ready = []
  #read = 0
  /** @type {Map<number, { count: number, values: any[] }>} that wait for others before them */
  #early = new Map()
  #next = 0
  /** @type {{ resolve: (result: IteratorResult<any>) => void, reject: (error: unknown) => void }[]} */
  #waiting = []
  /** @type {any[]} */
  #errors = []
  #failures = 0

  /** @param {Task} task */
  constructor(task) {
    this.#task = task
  }

  [Symbol.asyncIterator]() {
    return this
  }

  /** @returns {Promise<IteratorResult<any>>} */
  next() {
    if (!this.#started) this.#start()
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#give()
    })
  }

  /**
   * Nobody wants the rest.
   * @param {any} [value]
   * @returns {Promise<IteratorResult<any>>}
   */
  async return(value) {
    this.#started = true
    this.#over()
    return { value, done: true }
  }

  /**
   * @param {unknown} [error]
   * @returns {Promise<IteratorResult<any>>}
   */
  async throw(error) {
    await this.return()
    throw error
  }

  #over() {
    this.#state = 'over'
    this.#ready = []
    this.#read = 0
    this.#early.clear()
    this.#job?.cancel(undefined)
    this.#task.source.pull?.return()
    this.#give()
  }

  async #start() {
    this.#started = true
    const { options, compute } = this.#task
    try {
      this.#window = pullWindow(compute(), options.timeout > 0 ? 1 : options.chunkSize, MOST_ITEMS)
      this.#window.mayGrow = () => this.#waiting.length > 0
      const how = {
        window: this.#window,
        onResult: (first, count, tag, data) => this.#result(first, count, tag, data),
      }
      this.#job = await inWorkers(this.#task, (task) => startJob(task, how))
      if (this.#state !== 'running') return this.#job.cancel(undefined)
      await this.#job.done
      this.#end(
        this.#failures > 0 ? collectedErrors(this.#errors, undefined, this.#failures) : undefined,
      )
    } catch (error) {
      this.#end(error)
    }
    return undefined
  }

  /** @param {unknown} error of which the reader hears behind the results that are there */
  #end(error) {
    if (this.#state !== 'running') return
    this.#state = error === undefined ? 'over' : { error }
    this.#task.source.pull?.return()
    this.#give()
  }

  /** @param {number} first @param {number} count @param {number} tag @param {any} data */
  #result(first, count, tag, data) {
    this.#window?.back(first, count)
    const { results, failures } = answers.read(tag, data)
    const values = failures === undefined ? results : this.#without(failures, first, results)
    if (!this.#task.options.ordered) this.#append(values)
    else {
      this.#early.set(first, { count, values })
      for (let block; (block = this.#early.get(this.#next)) !== undefined;) {
        this.#early.delete(this.#next)
        this.#next += block.count
        this.#append(block.values)
      }
    }
    this.#give()
  }

  /**
   * @param {[number, string][]} failures
   * @param {number} first
   * @param {any[]} results
   */
  #without(failures, first, results) {
    const failed = new Set(failures.map(([index]) => index))
    this.#failures += failures.length
    for (const [index, json] of failures) {
      if (this.#errors.length < MOST_ERRORS) this.#errors.push(errorOf(index, json))
    }
    this.#window?.freed(failures.length)
    return Array.from(results).filter((_, i) => !failed.has(first + i))
  }

  /** @param {ArrayLike<any>} values */
  #append(values) {
    for (let i = 0; i < values.length; i++) this.#ready.push(values[i])
  }

  /** What is there to those who wait. */
  #give() {
    let given = 0
    while (this.#waiting.length > 0 && this.#read < this.#ready.length) {
      const value = this.#ready[this.#read++]
      given++
      this.#waiting.shift()?.resolve({ value, done: false })
    }
    if (this.#read === this.#ready.length) {
      this.#ready = []
      this.#read = 0
      this.#tellEnd()
    }
    if (given > 0) this.#window?.freed(given)
  }

  #tellEnd() {
    if (this.#state === 'running') return
    for (const { resolve, reject } of this.#waiting.splice(0)) {
      const state = this.#state
      if (typeof state === 'object') {
        this.#state = 'over'
        reject(state.error)
      } else resolve({ value: undefined, done: true })
    }
  }
}

module.exports = { streamTask }
