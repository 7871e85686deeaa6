'use strict'

// Runs a function over the items of a chunk. Knows nothing of Node.js, so that browsers can use it.

const ItemError = require('./item-error')
const { loopText } = require('./loops')
const { overlapped, isThenable } = require('./overlap')

/** @typedef {'map' | 'filter' | 'flatMap' | 'forEach' | 'reduce' | 'call'} Kind */
/** @typedef {import('./describe').Description} Description */

/**
 * @typedef {(text: string, indent: number, part: string) => any} Evaluate the value of an expression,
 *   compiled in no other scope than the global one. `indent`: what precedes the author's text in the
 *   first line; `part`: 'plain', 'specialised', or 'loop' for text that is not the author's
 */

/**
 * @typedef {object} RunOptions
 * @property {number} [inFlight] most items of an asynchronous function under way, 16 by default
 * @property {AbortSignal} [signal] aborted: no item of an asynchronous function is started any more, and
 *   the first of those fails with the signal's reason
 * @property {(index: number, cause: unknown) => void} [failed] told of each item that fails, which then
 *   gives undefined (map), false (filter) or nothing, and the others go on. Not for reduce
 * @property {boolean} [list] an array, also if all results are numbers
 */

/**
 * @typedef {object} Cursor
 * @property {number} at
 * @property {unknown} value
 * @property {(out: unknown[], value: unknown) => void} append
 */

const DEFAULT_IN_FLIGHT = 16

/** One function, ready to run over chunks. */
class Runner {
  #description
  #kind
  #evaluate
  /** @type {Map<string, Function>} the loops made so far */
  #loops = new Map()
  /** @type {Function | undefined} */
  #plain
  /** @type {((...values: unknown[]) => Function) | undefined} */
  #factory
  /** @type {(() => void) | undefined} */
  #afterRun
  /** @type {{ values: readonly unknown[], fn: Function } | undefined} of the last chunk */
  #last

  /**
   * @param {Description} description
   * @param {Kind} kind
   * @param {Evaluate} evaluate
   * @param {boolean} specialise
   */
  constructor(description, kind, evaluate, specialise) {
    this.#description = description
    this.#kind = kind
    this.#evaluate = evaluate
    this.specialised = specialise && description.report.specialised !== undefined
    /** what to read once per chunk and to give to `run` as `values`; empty if not specialised */
    this.keys = this.specialised ? description.report.specialised.keys : []
  }

  /**
   * Calls the function for the items, in order, and gives their results: 'map' and 'call' an array, or
   * a Float64Array if all are numbers; 'filter' a Uint8Array of 0 and 1; 'flatMap' an array; 'reduce'
   * the value; 'forEach' undefined. If the function answers with promises, a promise of that.
   *
   * @param {readonly any[] | Float64Array} items for 'call' the arrays of arguments
   * @param {number} first the place of the first item in what is iterated over
   * @param {readonly unknown[] | null} values those of `keys`; null to have the function read by itself
   * @param {unknown} scope
   * @param {(index: number) => unknown} contextOf the context of an item, asked for only if it is used
   * @param {RunOptions} [options]
   * @returns {any} throws, or the promise rejects with, an ItemError for what the function throws
   */
  run(items, first, values, scope, contextOf, options = {}) {
    const fn = this.#functionFor(values)
    const run = new Run(this, this.#kind, fn, items, first, scope, contextOf, options)
    const results = run.start()
    const then = this.#afterRun
    if (then !== undefined) {
      this.#afterRun = undefined
      if (isThenable(results)) results.then(then, then)
      else then()
    }
    return results
  }

  /**
   * Has something done after the next run, when V8 has compiled what is called in the function.
   * @param {() => void} then
   */
  afterRun(then) {
    this.#afterRun = then
  }

  /**
   * @param {'numbers' | Kind} kind
   * @returns {Function}
   */
  loop(kind) {
    let found = this.#loops.get(kind)
    if (found === undefined) {
      const { report, hash } = this.#description
      const text = loopText(kind, report.usesContext, this.#kind === 'call')
      found = this.#evaluate(`${text}// ${hash}`, 0, 'loop')
      this.#loops.set(kind, found)
    }
    return found
  }

  /** @param {readonly unknown[] | null} values */
  #functionFor(values) {
    if (!this.specialised) return this.#unspecialised()
    if (values !== null) return this.#specialisedFor(values)
    return this.keys.length === 0 ? this.#specialisedFor([]) : this.#unspecialised()
  }

  #unspecialised() {
    return (this.#plain ??= this.#evaluate(`(${this.#description.code}\n)`, 1, 'plain'))
  }

  /** @param {readonly unknown[]} values */
  #specialisedFor(values) {
    const { code, names, readsOnly } = this.#description.report.specialised
    if (this.#factory === undefined) {
      const head = `(function(${names.join(',')}){return(`
      this.#factory = this.#evaluate(`${head}${code}\n)})`, head.length, 'specialised')
    }
    const factory = this.#factory
    if (values.some(isObject)) {
      return readsOnly ? detached(factory(...values)) : copying(factory, values)
    }
    const last = this.#last
    if (last !== undefined && last.values.every((value, at) => Object.is(value, values[at])))
      return last.fn
    const fn = factory(...values)
    this.#last = { values: [...values], fn }
    return fn
  }

  /** the parameters of an item, for the calls outside of loops */
  get usesContext() {
    return this.#description.report.usesContext
  }
}

/** The items of one chunk on their way through a function. */
class Run {
  /**
   * @param {Runner} runner
   * @param {Kind} kind
   * @param {Function} fn
   * @param {readonly any[] | Float64Array} items
   * @param {number} first
   * @param {unknown} scope
   * @param {(index: number) => unknown} contextOf
   * @param {RunOptions} options
   */
  constructor(runner, kind, fn, items, first, scope, contextOf, options) {
    this.runner = runner
    this.kind = kind
    this.fn = fn
    this.items = items
    this.first = first
    this.scope = scope
    this.contextOf = contextOf
    this.options = options
    /** @type {any} */
    this.out = undefined
    /** @type {Cursor} */
    this.cursor = { at: 0, value: undefined, append }
  }

  start() {
    const { kind, items } = this
    if (kind === 'reduce') {
      this.out = { value: items[0] }
      return this.#loop(kind, 1) ? this.out.value : this.#reduceLater()
    }
    if (kind === 'map' || kind === 'call') return this.#numbers()
    this.out = kind === 'filter' ? new Uint8Array(items.length) : []
    return this.#rest(0)
  }

  /** Results go to a Float64Array until one is not a number. */
  #numbers() {
    const { cursor, items, kind } = this
    this.out = this.options.list ? listOf(items.length) : new Float64Array(items.length)
    const done = this.#loop('numbers', 0, true)
    if (done) return this.out
    const { at } = cursor
    if (this.options.list) this.out.length = at
    else this.out = Array.from(this.out.subarray(0, at))
    // An item that failed has been told of and has no result.
    if (!isThenable(cursor.value)) this.out[at] = cursor.value
    else return this.#later(at)
    return kind === 'call' ? this.#rest(at + 1, 'call') : this.#rest(at + 1)
  }

  /**
   * @param {number} at
   * @param {Kind} [kind]
   * @returns {any}
   */
  #rest(at, kind = this.kind) {
    if (!this.#loop(kind, at)) return this.#later(this.cursor.at)
    return kind === 'forEach' ? undefined : this.out
  }

  /**
   * Runs a loop; items that fail are told of where the caller wants that.
   * @param {'numbers' | Kind} kind
   * @param {number} at
   * @param {boolean} [stops] at a failed item, as at a result that does not fit
   * @returns {boolean} false: not at its end, see `cursor`
   */
  #loop(kind, at, stops = false) {
    const { cursor, first, options } = this
    const loop = this.runner.loop(kind)
    for (;;) {
      try {
        return loop(this.fn, this.items, this.out, at, first, this.scope, this.contextOf, cursor)
      } catch (cause) {
        if (options.failed === undefined || kind === 'reduce')
          throw new ItemError(first + cursor.at, cause)
        options.failed(first + cursor.at, cause)
        cursor.value = undefined
        if (stops) return false
        if (kind === 'map' || kind === 'call') this.out[cursor.at] = undefined
        at = cursor.at + 1
      }
    }
  }

  /**
   * The result of item `at` is a promise: goes on with several under way.
   * @param {number} at
   */
  async #later(at) {
    const { fn, items, scope, contextOf, first, options, kind, out } = this
    const usesContext = this.runner.usesContext
    /** @type {unknown[]} */
    const parts = kind === 'flatMap' ? [] : out
    if (parts === out && Array.isArray(out) && kind !== 'forEach') out.length = items.length
    await overlapped({
      from: at + 1,
      count: items.length,
      pending: { index: at, value: /** @type {any} */ (this.cursor.value) },
      limit: options.inFlight ?? DEFAULT_IN_FLIGHT,
      first,
      failed: options.failed,
      signal: options.signal,
      call:
        kind === 'call'
          ? (index) => fn.apply(undefined, items[index])
          : (index) => fn(items[index], scope, usesContext ? contextOf(first + index) : undefined),
      store: storing(kind, parts),
    })
    if (kind === 'forEach') return undefined
    if (kind === 'filter') return out
    if (kind === 'flatMap') {
      for (const part of parts) for (const value of /** @type {any} */ (part ?? [])) out.push(value)
      return out
    }
    // What failed has left a hole.
    for (let index = 0; index < out.length; index++) if (!(index in out)) out[index] = undefined
    return out.every(isNumber) ? Float64Array.from(out) : out
  }

  async #reduceLater() {
    const { fn, items, scope, first, cursor, out } = this
    let index = cursor.at
    try {
      out.value = await cursor.value
      for (index++; index < items.length; index++)
        out.value = await fn(out.value, items[index], scope)
    } catch (cause) {
      throw new ItemError(first + index, cause)
    }
    return out.value
  }
}

/**
 * @param {Kind} kind
 * @param {any} parts
 * @returns {(index: number, value: unknown) => void}
 */
function storing(kind, parts) {
  if (kind === 'forEach') return () => {}
  if (kind === 'filter') return (index, value) => void (parts[index] = value ? 1 : 0)
  if (kind !== 'flatMap') return (index, value) => void (parts[index] = value)
  return (index, value) => {
    /** @type {unknown[]} */
    const part = []
    append(part, value)
    parts[index] = part
  }
}

/**
 * As Array.prototype.flatMap, and what else can be iterated over is taken apart too, except strings.
 * @param {unknown[]} out
 * @param {any} value
 */
function append(out, value) {
  if (isObject(value) && typeof value[Symbol.iterator] === 'function') {
    for (const part of value) out.push(part)
  } else out.push(value)
}

/**
 * Every call gets copies of its own, as if it had read the values itself.
 * @param {(...values: unknown[]) => Function} factory
 * @param {readonly unknown[]} values
 */
function copying(factory, values) {
  return (/** @type {unknown[]} */ ...parameters) =>
    factory(...values.map((value) => (isObject(value) ? structuredClone(value) : value)))(
      ...parameters,
    )
}

/**
 * No result holds on to a value that all calls share.
 * @param {Function} fn
 */
function detached(fn) {
  return (/** @type {unknown} */ a, /** @type {unknown} */ b, /** @type {unknown} */ c) => {
    const result = fn(a, b, c)
    return isObject(result) && !isThenable(result) ? copyOf(result) : result
  }
}

/** @param {object} result */
function copyOf(result) {
  try {
    return structuredClone(result)
  } catch {
    // It cannot be sent either, which its sender says better.
    return result
  }
}

/**
 * @param {unknown} value
 * @returns {value is any}
 */
function isObject(value) {
  return typeof value === 'object' && value !== null
}

/** @param {unknown} value */
function isNumber(value) {
  return typeof value === 'number'
}

/** @param {number} length */
function listOf(length) {
  /** @type {unknown[]} */
  const list = []
  list.length = length
  return list
}

module.exports = { Runner, isObject }
