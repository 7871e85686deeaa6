'use strict'

// Runners of this thread: each function is compiled once.

const { evaluate } = require('./evaluate')
const { Runner } = require('./runner')
const { NetworkClusterError } = require('../core/network-cluster-error')

/** @typedef {import('./describe').Description} Description */
/** @typedef {import('./runner').Kind} Kind */

/**
 * @typedef {object} CompileOptions
 * @property {'snapshot' | 'latest'} [reads] 'latest': every read of the scope is one; not specialised
 * @property {import('./evaluate').CodeCache} [codeCache] where the threads of this process, and nobody
 *   else, put what they compiled: V8 trusts it
 */

const MAX_RUNNERS = 256
/** @type {Map<string, InstanceType<typeof Runner>>} the least recently used first */
const runners = new Map()

const USES = {
  map: 'item',
  filter: 'item',
  flatMap: 'item',
  forEach: 'item',
  reduce: 'reduce',
  call: 'call',
}

/**
 * What runs a described function over chunks of items. The 256 used last are remembered.
 *
 * @param {Description} description
 * @param {Kind} kind 'call' for functions described with `uses` 'call' or 'entry': an item is the array
 *   of arguments
 * @param {CompileOptions} [options]
 * @returns {InstanceType<typeof Runner>}
 * @throws {NetworkClusterError} ERR_NC_CODE_REFUSED where code must not be made from text,
 *   ERR_NC_FUNCTION_SOURCE if this version of JavaScript does not know the function's syntax
 */
function compile(description, kind, { reads = 'snapshot', codeCache } = {}) {
  const key = `${description.hash} ${kind} ${reads}`
  let runner = runners.get(key)
  if (runner !== undefined) runners.delete(key)
  else runner = make(description, kind, reads, codeCache)
  if (runners.size >= MAX_RUNNERS) runners.delete(runners.keys().next().value)
  runners.set(key, runner)
  return runner
}

/**
 * @param {Description} description
 * @param {Kind} kind
 * @param {string} reads
 * @param {import('./evaluate').CodeCache} [codeCache]
 */
function make(description, kind, reads, codeCache) {
  const uses = USES[kind]
  if (
    uses === undefined ||
    (uses !== description.uses && !(uses === 'call' && description.uses === 'entry'))
  ) {
    throw new NetworkClusterError(
      'ERR_NC_INVALID_ARG',
      `a function described for '${description.uses}' does not run as '${kind}'`,
    )
  }
  /** @type {import('./runner').Evaluate} */
  const evaluatePart = (text, indent, part) => {
    const { name, hash } = description
    if (part === 'loop') return evaluate(text, 'loop', indent).value
    const key = `${hash} ${part}`
    const { value, codeOf } = evaluate(text, name, indent, () => codeCache?.get(key))
    if (codeOf !== undefined && codeCache !== undefined) {
      // By then V8 has compiled what is called in it, and the results of the run have been answered.
      runner.afterRun(() => setImmediate(keepCode, codeCache, key, codeOf))
    }
    return value
  }
  const runner = new Runner(description, kind, evaluatePart, reads !== 'latest')
  return runner
}

/**
 * @param {import('./evaluate').CodeCache} codeCache
 * @param {string} key
 * @param {() => Buffer} codeOf
 */
function keepCode(codeCache, key, codeOf) {
  if (codeCache.claim(key)) codeCache.set(key, codeOf())
}

module.exports = { compile }
