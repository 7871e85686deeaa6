'use strict'

const { createHash } = require('crypto')
const vm = require('vm')
const native = require('../core/native')
const { NetworkClusterError, CapturedVariablesError } = require('../core/network-cluster-error')

/**
 * What a function is called with: `item`: (item, scope, context); `reduce`: (a, b, scope);
 * `entry` and `call`: arguments of the caller's own, no scope.
 * @typedef {'item' | 'reduce' | 'entry' | 'call'} Uses
 */

/**
 * @typedef {object} Specialised the function with its reads of the scope as constants
 * @property {string} code a function expression that is synchronous
 * @property {string[]} keys what is read, in the order of `names`
 * @property {string[]} names the free variables of `code` that stand for the values
 * @property {boolean} readsOnly it provably changes nothing that it reads, so that one copy of a
 *   value serves all items
 */

/**
 * @typedef {object} Report
 * @property {'sync' | 'async'} kind whether the function is declared async
 * @property {string} [name] as its text has it
 * @property {number} params how many parameters it declares, a rest parameter not counted
 * @property {boolean} usesScope it names its scope, or has `arguments` or a rest parameter in its place
 * @property {boolean} usesContext the same for the third parameter of `item`
 * @property {string[]} scopeReads the literal keys of its `scope.get('key')`
 * @property {boolean} specialisable whether there is `specialised`
 * @property {boolean} short provably short and without effects, so that it may run on the caller's thread
 * @property {Specialised} [specialised]
 */

/**
 * @typedef {object} Description what is sent of a function; plain, and the same after JSON
 * @property {string} hash SHA-256 in hex of `code` and `uses`
 * @property {string} name '' for a function without
 * @property {Uses} uses
 * @property {string} code a function expression, usable as `(${code}\n)`
 * @property {Report} report
 */

/** @typedef {{ globals?: readonly string[], uses?: Uses }} DescribeOptions */

const USES = new Set(['item', 'reduce', 'entry', 'call'])
const MAX_TEXTS = 256

/** @type {WeakMap<Function, Map<string, Description>>} */
const described = new WeakMap()
/** @type {Map<string, Description>} the latest texts, oldest first */
const texts = new Map()
/** @type {WeakMap<Function, { target: Function | string, globals?: readonly string[] }>} */
const originals = new WeakMap()

/**
 * Checks that a function can run in another thread or process, which knows nothing of the place
 * where it was written, and says what to send. Remembered per function.
 *
 * @param {unknown} target a function, the text of one (TypeScript too), or what `stands` was told of
 * @param {DescribeOptions} [options] `globals`: further global names that exist where it will run;
 *   `uses`: what it is called with, 'item' by default
 * @returns {Description}
 * @throws {CapturedVariablesError} it uses variables from outside of itself
 * @throws {NetworkClusterError} ERR_NC_NOT_A_FUNCTION, ERR_NC_FUNCTION_SOURCE (with `line` and
 *   `column` in the function's text where they are known), ERR_NC_USES_THIS, ERR_NC_INVALID_ARG
 */
function describe(target, options = {}) {
  const uses = options.uses ?? 'item'
  const key = options.globals === undefined ? uses : keyOf(uses, options.globals)
  if (typeof target === 'function') {
    const known = described.get(target)?.get(key)
    if (known !== undefined) return known
    const original = originals.get(target)
    const description =
      original === undefined
        ? analyse(sourceOf(target), nameOf(target), uses, options.globals, false)
        : describe(original.target, { uses, globals: original.globals })
    remember(target, key, description)
    return description
  }
  if (typeof target !== 'string') {
    throw new NetworkClusterError(
      'ERR_NC_NOT_A_FUNCTION',
      `a function or the text of one was expected, not ${target === null ? 'null' : typeof target}`,
    )
  }
  const textKey = `${key}\n${target}`
  let description = texts.get(textKey)
  if (description === undefined) {
    description = analyse(target, undefined, uses, options.globals, true)
    if (texts.size >= MAX_TEXTS) texts.delete(texts.keys().next().value)
    texts.set(textKey, description)
  }
  return description
}

/**
 * Lets a function of our own stand for one of the app's: `describe(callable)` describes `target`.
 *
 * @template {Function} F
 * @param {F} callable
 * @param {Function | string} target
 * @param {readonly string[]} [globals] as for `describe`
 * @returns {F} the callable
 */
function stands(callable, target, globals) {
  originals.set(callable, { target, globals })
  return callable
}

/**
 * @param {unknown} uses
 * @param {readonly unknown[]} globals
 */
function keyOf(uses, globals) {
  if (!Array.isArray(globals) || !globals.every((name) => typeof name === 'string')) {
    throw new NetworkClusterError('ERR_NC_INVALID_ARG', '`globals` is an array of names')
  }
  return `${uses} ${globals.join(' ')}`
}

/** @param {unknown} uses */
function assertUses(uses) {
  if (!USES.has(/** @type {string} */ (uses))) {
    throw new NetworkClusterError('ERR_NC_INVALID_ARG', '`uses` is item, reduce, entry or call')
  }
}

/**
 * @param {Function} fn
 * @param {string} key
 * @param {Description} description
 */
function remember(fn, key, description) {
  const known = described.get(fn)
  if (known === undefined) described.set(fn, new Map([[key, description]]))
  else known.set(key, description)
}

/** @param {Function} fn whose property `name` may be anything by now */
function nameOf(fn) {
  try {
    return typeof fn.name === 'string' ? fn.name : ''
  } catch {
    return ''
  }
}

/** @param {Function} fn */
function sourceOf(fn) {
  const source = Function.prototype.toString.call(fn)
  const name = nameOf(fn)
  if (source.endsWith('{ [native code] }') && name.startsWith('bound ')) {
    throw new NetworkClusterError(
      'ERR_NC_FUNCTION_SOURCE',
      `function "${name}" is bound, and a bound function has no text to send: pass the function itself, ` +
        'and what it was bound to through the scope or the items',
    )
  }
  return source
}

/**
 * @param {string} source
 * @param {string | undefined} name
 * @param {Uses} uses
 * @param {readonly string[] | undefined} globals
 * @param {boolean} text
 * @returns {Description}
 */
function analyse(source, name, uses, globals, text) {
  assertUses(uses)
  if (native.analyseFunction === undefined) {
    throw new NetworkClusterError(
      'ERR_NC_FUNCTION_SOURCE',
      'functions cannot be sent: the addon was built without the feature `functions`',
    )
  }
  const answer = native.analyseFunction(
    source,
    uses,
    globals === undefined ? [] : [...globals],
    text,
  )
  if (answer.error != null) throw refusal(answer.error, name)
  const { code, ...report } = /** @type {any} */ (answer.report)
  if (text) assertCompiles(code, report.name)
  const hash = createHash('sha256')
    .update(uses === 'item' ? code : `${uses}\n${code}`)
    .digest('hex')
  return Object.freeze({ hash, name: name || report.name || '', uses, code, report })
}

/**
 * V8 does not know all the syntax that the analysis knows. A function it has made is one it knows.
 * @param {string} code
 * @param {string} [name]
 */
function assertCompiles(code, name = '<anonymous>') {
  try {
    vm.compileFunction(`return (${code}\n)`)
  } catch (cause) {
    throw new NetworkClusterError(
      'ERR_NC_FUNCTION_SOURCE',
      `function "${name}" cannot be compiled: ${/** @type {Error} */ (cause).message}`,
      { cause },
    )
  }
}

/**
 * @param {import('../../native/binding.cjs').NativeFunctionError} error
 * @param {string | undefined} name
 */
function refusal(error, name) {
  const message = `function "${name || error.name || '<anonymous>'}" ${error.message}`
  const result =
    error.captured.length > 0
      ? new CapturedVariablesError(message, error.captured)
      : new NetworkClusterError(/** @type {any} */ (error.code), message)
  return error.line === 0
    ? result
    : Object.assign(result, { line: error.line, column: error.column })
}

module.exports = { describe, stands }
