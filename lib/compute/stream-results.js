'use strict'

// What a stream of results consists of but for its reader: the reader refers to it, and nothing in here
// to the reader unless that one waits. So it shows when there is no reader any more.

const answers = require('./answers.js')
const { errorOf } = require('./errors.js')
const { collectedErrors } = require('./results.js')
const { inWorkers, pullWindow, startJob } = require('./task.js')

/** Items of a block. */
const MOST_ITEMS = 1024
/** Errors that `onError: 'collect'` keeps of a stream, which may have no end. */
const MOST_ERRORS = 1000

/** @typedef {import('./task').Task} Task */

/**
 * @typedef {object} Waiting
 * @property {(result: IteratorResult<any>) => void} resolve
 * @property {(error: unknown) => void} reject
 * @property {object} reader
 */

class StreamResults {
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
  /** @type {Waiting[]} */
  #waiting = []
  /** @type {any[]} */
  #errors = []
  #failures = 0

  /** @param {Task} task */
  constructor(task) {
    this.#task = task
  }

  /**
   * @param {object} reader is not collected before it has its answer
   * @returns {Promise<IteratorResult<any>>}
   */
  next(reader) {
    if (!this.#started) this.#start()
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject, reader })
      this.#give()
    })
  }

  /** Nobody wants the rest. Repeatable. */
  stop() {
    this.#started = true
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
      this.#keepAlive()
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
    this.#keepAlive()
  }

  /** As long as somebody waits, and no longer: results that nobody asks for are no reason to stay. */
  #keepAlive() {
    this.#job?.keepAlive(this.#waiting.length > 0)
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

module.exports = { StreamResults, MOST_ERRORS }
