'use strict'

// The options of parallel work: every name is known, every value is what it should be.

const { NetworkClusterError } = require('../core/network-cluster-error')

// Longest delay of a Node.js timer.
const LONGEST_DELAY = 0x7fffffff
const MOST_RETRIES = 1000
const MOST_PRIORITY = 0x7fffffff

/**
 * @typedef {object} WorkOptions what `workOptions` makes of what was given
 * @property {number} chunkSize items a worker takes at once; 0: as many as take some ms
 * @property {number} concurrency chunks under way at once at most; 0: as many as there are workers for
 * @property {boolean} ordered results in the order of the items
 * @property {number} priority higher first
 * @property {number | undefined} retries how often an item is done again
 * @property {number} timeout ms an item may take; 0: any time
 * @property {AbortSignal | undefined} signal
 * @property {((progress: { done: number, total?: number, value?: unknown }) => void) | undefined} onProgress
 * @property {'reject' | 'collect'} onError
 * @property {'snapshot' | 'latest'} reads
 * @property {string | ((item: any) => string) | undefined} partitionBy
 * @property {readonly string[] | undefined} globals
 * @property {((item: any) => readonly ArrayBuffer[]) | undefined} transfer
 * @property {{ value: unknown } | undefined} initial of `reduce`
 */

/** @typedef {{ holds: (value: any) => boolean, expected: string }} Rule */

/** @type {(least: number, most: number) => Rule} */
const integer = (least, most) => ({
  holds: (value) => Number.isSafeInteger(value) && value >= least && value <= most,
  expected: `an integer from ${least} to ${most}`,
})
/** @type {(...values: string[]) => Rule} */
const oneOf = (...values) => ({
  holds: (value) => values.includes(value),
  expected: `one of ${values.map((value) => `'${value}'`).join(', ')}`,
})
/** @type {Rule} */
const callback = { holds: (value) => typeof value === 'function', expected: 'a function' }
/** @type {Rule} */
const boolean = { holds: (value) => typeof value === 'boolean', expected: 'true or false' }

/** @type {Record<string, Rule>} */
const RULES = {
  chunkSize: {
    holds: (value) => value === 'auto' || (Number.isSafeInteger(value) && value >= 1),
    expected: "'auto' or an integer above 0",
  },
  concurrency: integer(1, 65_536),
  ordered: boolean,
  priority: integer(-MOST_PRIORITY, MOST_PRIORITY),
  retries: integer(0, MOST_RETRIES),
  timeout: {
    holds: (value) => typeof value === 'number' && value > 0 && value <= LONGEST_DELAY,
    expected: `a number of ms above 0, at most ${LONGEST_DELAY}`,
  },
  signal: {
    holds: (value) =>
      typeof value?.aborted === 'boolean' && typeof value.addEventListener === 'function',
    expected: 'an AbortSignal',
  },
  onProgress: callback,
  onError: oneOf('reject', 'collect'),
  reads: oneOf('snapshot', 'latest'),
  partitionBy: {
    holds: (value) => typeof value === 'function' || (typeof value === 'string' && value !== ''),
    expected: 'a key, or a function that gives the key of an item',
  },
  globals: {
    holds: (value) => Array.isArray(value) && value.every((name) => typeof name === 'string'),
    expected: 'an array of names',
  },
  isolate: {
    holds: (value) => value === 'none',
    expected: "'none', since functions run with all rights of their worker",
  },
  transfer: callback,
  initial: { holds: () => true, expected: 'a value' },
}

/** The options that only some methods have. */
const ONLY = { initial: ['reduce'] }
/** What makes no sense for a single call. */
const NOT_FOR_CALLS = ['chunkSize', 'ordered', 'transfer']

/**
 * @param {string} method whose options they are, for the messages
 * @param {unknown} given
 * @returns {Readonly<WorkOptions>}
 * @throws {NetworkClusterError} ERR_NC_INVALID_ARG for an unknown name or a value that makes no sense
 */
function workOptions(method, given) {
  if (
    given !== undefined &&
    (typeof given !== 'object' || given === null || Array.isArray(given))
  ) {
    throw invalid(`the options of ${method}() must be an object`)
  }
  const options = /** @type {Record<string, any>} */ (given ?? {})
  for (const name of Object.keys(options)) check(method, name, options[name])
  if (options.onError === 'collect' && method === 'reduce') {
    throw invalid("onError of reduce() must be 'reject': there is no result without every item")
  }
  const { chunkSize, initial } = options
  return Object.freeze({
    chunkSize: chunkSize === undefined || chunkSize === 'auto' ? 0 : chunkSize,
    concurrency: options.concurrency ?? 0,
    ordered: options.ordered ?? true,
    priority: options.priority ?? 0,
    retries: options.retries,
    timeout: options.timeout ?? 0,
    signal: options.signal,
    onProgress: options.onProgress,
    onError: options.onError ?? 'reject',
    reads: options.reads ?? 'snapshot',
    partitionBy: options.partitionBy,
    globals: options.globals,
    transfer: options.transfer,
    initial: 'initial' in options ? { value: initial } : undefined,
  })
}

/**
 * @param {string} method
 * @param {string} name
 * @param {unknown} value
 */
function check(method, name, value) {
  const known = Object.keys(RULES).filter((option) => isFor(method, option))
  if (!known.includes(name)) {
    const close = known.find((option) => option.toLowerCase() === name.toLowerCase())
    const hint = close === undefined ? `there are ${known.join(', ')}` : `did you mean "${close}"?`
    throw invalid(`${method}() has no option "${name}"; ${hint}`)
  }
  if (value !== undefined && !RULES[name].holds(value)) {
    throw invalid(`${name} of ${method}() must be ${RULES[name].expected}; it is ${shown(value)}`)
  }
}

/**
 * @param {string} method
 * @param {string} option
 */
function isFor(method, option) {
  if (method === 'run' && NOT_FOR_CALLS.includes(option)) return false
  return ONLY[option]?.includes(method) ?? true
}

/** @param {unknown} value for a message, short */
function shown(value) {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 60))
  if (typeof value === 'function') return 'a function'
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' && value !== null ? 'an object' : String(value)
}

/** @param {string} message */
const invalid = (message) => new NetworkClusterError('ERR_NC_INVALID_ARG', message)

module.exports = { workOptions, shown, invalid }
