'use strict'

// Functions that provably take next to no time and change nothing run on the calling thread: sending
// their items to a worker would take longer. Nobody can tell the difference by the results.

const { compile, ItemError } = require('../functions')
const { decodeItems } = require('../values/index.js')
const answers = require('./answers.js')
const { abortError, asTold, isOwn, taskError } = require('./errors.js')
const { encoded, Turn } = require('./feed.js')

/** More items go to workers. */
const MOST_ITEMS = 1_000_000
/** The same of items that have to be copied, which takes longer than all else. */
const MOST_COPIED = 10_000
/** Items that are run at once, where they are copied or come one after the other. */
const BLOCK = 1024
const WORKER = 'inline'

/** @typedef {import('./job').Kind} Kind */
/** @typedef {InstanceType<typeof import('./source').Pull>} Pull */
/** @typedef {import('./options').WorkOptions} WorkOptions */

/**
 * @typedef {object} Block
 * @property {readonly unknown[] | Float64Array} items
 * @property {number} first
 * @property {boolean} plain whether the items need not be copied for sure
 */

/**
 * @param {any} description
 * @param {WorkOptions} options
 * @param {import('./source').Source} source
 */
function runsInline({ report }, options, source) {
  const { list } = source
  return (
    report.short &&
    options.timeout === 0 &&
    options.concurrency === 0 &&
    options.chunkSize === 0 &&
    options.onProgress === undefined &&
    options.partitionBy === undefined &&
    options.transfer === undefined &&
    !(report.usesScope && options.reads === 'latest') &&
    (list === undefined || list.length <= mostOf(source))
  )
}

/** @param {import('./source').Source} source */
function mostOf(source) {
  return source.list.length <= MOST_COPIED || isPlain(source) ? MOST_ITEMS : MOST_COPIED
}

/**
 * Whether a list needs no copies, found out once.
 * @param {import('./source').Source} source
 */
function isPlain(source) {
  source.plain ??= source.list !== undefined && arePrimitive(source.list)
  return source.plain
}

/** A function on the calling thread. */
class Inline {
  #kind
  #collect
  #runner
  #scope
  /** @type {any[] | null | undefined} undefined until they are read */
  #values

  /**
   * @param {Kind} kind
   * @param {any} description
   * @param {WorkOptions} options
   * @param {import('./scopes').OpenedScope | undefined} scope
   */
  constructor(kind, description, options, scope) {
    this.#kind = kind
    this.#collect = options.onError === 'collect'
    this.#runner = compile(description, kind, options)
    this.#scope = scope
  }

  /**
   * @param {Block} block
   * @param {(error: any) => void} [failed] told of items
   *   that fail, where those are to be collected
   * @returns {any} what a runner gives, or a promise of it
   */
  run(block, failed) {
    if (this.#values === undefined) {
      const values = this.#scope?.read(this.#runner.keys) ?? null
      if (values instanceof Promise) {
        return values.then((read) => {
          this.#values = read
          return this.run(block, failed)
        })
      }
      this.#values = values
    }
    const { items, first, plain } = block
    try {
      const results = this.#run(plain ? items : own(items, first), first, failed)
      if (!(results instanceof Promise)) return this.#sent(results, first)
      return results.then(
        (settled) => this.#sent(settled, first),
        (error) => this.#threw(error),
      )
    } catch (error) {
      return this.#threw(error)
    }
  }

  /** Values of the scope are read anew for the next items. */
  forget() {
    this.#values = undefined
  }

  /** @param {readonly any[] | Float64Array} items @param {number} first @param {any} failed */
  #run(items, first, failed) {
    return this.#runner.run(
      items,
      first,
      /** @type {any[] | null} */ (this.#values),
      this.#scope?.scope,
      (index) => ({ index, attempt: 1, workerId: WORKER, signal: NEVER, progress() {} }),
      {
        list: true,
        failed: this.#collect
          ? (index, cause) => failed(taskError(index, { workerId: WORKER }, asTold(cause)))
          : undefined,
      },
    )
  }

  /**
   * What a worker's answer would be, which shares nothing with the items or the scope.
   * @param {any} results
   * @param {number} first
   */
  #sent(results, first) {
    if (this.#kind === 'filter' || this.#kind === 'forEach') return results
    if (this.#kind === 'reduce') return this.#copied([results], first)[0]
    return arePrimitive(results) ? results : this.#copied(results, first)
  }

  /** @param {any[]} results @param {number} first */
  #copied(results, first) {
    const { tag, data } = answers.sendable(results, first, this.#kind === 'flatMap')
    return decodeItems(tag, data)
  }

  /**
   * @param {unknown} error
   * @returns {never}
   */
  #threw(error) {
    if (!(error instanceof ItemError)) throw error
    const { cause } = error
    if (!isOwn(cause)) throw taskError(error.index, { workerId: WORKER }, asTold(cause))
    const { code, message } = cause
    throw taskError(error.index, { code, message, workerId: WORKER }, undefined)
  }
}

/** Nothing that runs inline can be told to stop. */
const NEVER = new AbortController().signal

/**
 * Items as a worker would get them.
 * @param {readonly unknown[] | Float64Array} items
 * @param {number} first
 * @returns {readonly any[] | Float64Array}
 */
function own(items, first) {
  if (arePrimitive(items)) return items
  const { tag, data } = encoded(items, first)
  return decodeItems(tag, data)
}

/**
 * Whether sending values and receiving them would make no difference.
 * @param {readonly unknown[] | Float64Array} values
 */
function arePrimitive(values) {
  if (values instanceof Float64Array) return true
  for (let i = 0; i < values.length; i++) {
    const type = typeof values[i]
    if (type === 'number' || type === 'string') continue
    if (type === 'function' || type === 'symbol') return false
    if (type === 'object' && values[i] !== null) return false
  }
  return true
}

/**
 * The source in blocks, others get a turn in between.
 * @param {import('./source').Source} source
 * @param {object} how
 * @param {AbortSignal | undefined} how.signal
 * @param {number} how.listed most items of a block of a list that need not be copied
 * @param {number} how.pulled the same of what gives one item after another
 * @returns {AsyncGenerator<Block, void, void>}
 */
async function* blocksOf(source, { signal, listed, pulled }) {
  const { list, pull } = source
  const turn = new Turn()
  const most = isPlain(source) ? listed : Math.min(listed, BLOCK)
  let first = 0
  try {
    while (list === undefined ? !pull.ended : first < list.length) {
      if (signal?.aborted) throw abortError(signal)
      const items =
        list === undefined ? await gather(pull, pulled, signal) : part(list, first, most)
      if (items.length > 0) yield { items, first, plain: isPlain(source) }
      first += items.length
      await turn.give()
    }
  } finally {
    pull?.return()
  }
}

/** @param {readonly unknown[] | Float64Array} list @param {number} at @param {number} most */
function part(list, at, most) {
  return list.length <= most ? list : list.slice(at, at + most)
}

/**
 * @param {Pull} pull
 * @param {number} most of a source that gives them at once; one of another
 * @param {AbortSignal | undefined} signal
 * @returns {unknown[] | Promise<unknown[]>}
 */
function gather(pull, most, signal) {
  if (pull.isAsync) return gatherOne(pull, signal)
  const items = []
  while (items.length < most) {
    const { done, value } = pull.next()
    if (done) break
    items.push(value)
  }
  return items
}

/** @param {Pull} pull @param {AbortSignal | undefined} signal */
async function gatherOne(pull, signal) {
  const { done, value } = await untilAborted(pull.next(), signal)
  return done ? [] : [value]
}

/**
 * @template T
 * @param {Promise<T>} promise
 * @param {AbortSignal | undefined} signal
 * @returns {Promise<T>}
 */
function untilAborted(promise, signal) {
  if (signal === undefined) return promise
  return new Promise((resolve, reject) => {
    const abort = () => reject(abortError(signal))
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

module.exports = { runsInline, Inline, blocksOf, BLOCK }
