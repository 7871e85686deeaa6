'use strict'

const { Module } = require('module')
const path = require('path')
const vm = require('vm')
const { NetworkClusterError } = require('../core/network-cluster-error')

/** Below that compiling costs less than looking at a cache. */
const CACHED_FROM = 10_000

/**
 * What was compiled, to be compiled again in another thread at less cost.
 * @typedef {object} CodeCache
 * @property {(key: string) => Buffer | null | undefined} get
 * @property {(key: string) => boolean} claim whether the caller is to make it; true once
 * @property {(key: string, code: Buffer) => void} set
 */

/** @type {boolean | undefined} */
let allowed

/**
 * @typedef {object} Evaluated
 * @property {any} value
 * @property {(() => Buffer) | undefined} codeOf gives what is worth keeping, once it has run
 */

/**
 * The value of an expression that sees nothing but the globals. It is sloppy unless it says
 * 'use strict', as its author may have written it; import() starts from the working directory.
 *
 * @param {string} text
 * @param {string} name for stack traces
 * @param {number} indent what precedes the author's text in its first line
 * @param {() => Buffer | null | undefined} [cached] what another thread has compiled
 * @returns {Evaluated}
 */
function evaluate(text, name, indent, cached) {
  assertAllowed()
  try {
    if (text.includes('import')) return { value: asModule(text), codeOf: undefined }
    const isLong = text.length >= CACHED_FROM
    const cachedData = (isLong && cached?.()) || undefined
    const script = new vm.Script(text, {
      filename: `${name || 'function'} (sent)`,
      columnOffset: -indent,
      cachedData,
    })
    // V8 rejects what was made when it had other flags.
    const accepted = cachedData !== undefined && script.cachedDataRejected === false
    return {
      value: script.runInThisContext(),
      codeOf: isLong && !accepted ? () => script.createCachedData() : undefined,
    }
  } catch (cause) {
    throw new NetworkClusterError(
      'ERR_NC_FUNCTION_SOURCE',
      `function "${name || '<anonymous>'}" cannot be compiled: ${/** @type {Error} */ (cause).message}`,
      { cause },
    )
  }
}

/**
 * import() needs a module that it starts from: one in the working directory, of which the function sees
 * nothing else.
 * @param {string} text
 */
function asModule(text) {
  const module = new Module(path.resolve('sent-function.cjs'))
  const hidden = 'require, module, exports, __filename, __dirname'
  // @ts-expect-error: the types do not have it
  module._compile(`module.exports = (function (${hidden}) { return ${text}\n})()`, module.id)
  return module.exports
}

function assertAllowed() {
  if (allowed === undefined) {
    try {
      allowed = new Function('return true')()
    } catch {
      allowed = false
    }
  }
  if (!allowed) {
    throw new NetworkClusterError(
      'ERR_NC_CODE_REFUSED',
      'functions cannot run here: this process does not allow code to be made from text ' +
        '(--disallow-code-generation-from-strings)',
    )
  }
}

module.exports = { evaluate }
