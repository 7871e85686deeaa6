'use strict'

const vm = require('vm')
const { NetworkClusterError } = require('../core/network-cluster-error')

/** @type {boolean | undefined} */
let allowed

/**
 * The value of an expression that sees nothing but the globals. It is sloppy unless it says
 * 'use strict', as its author may have written it; import() starts from the working directory.
 *
 * @param {string} text
 * @param {string} name for stack traces
 * @returns {any}
 */
function evaluate(text, name) {
  assertAllowed()
  try {
    const script = new vm.Script(text, {
      filename: `${name || 'function'} (sent)`,
      importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    })
    return script.runInThisContext()
  } catch (cause) {
    throw new NetworkClusterError(
      'ERR_NC_FUNCTION_SOURCE',
      `function "${name || '<anonymous>'}" cannot be compiled: ${/** @type {Error} */ (cause).message}`,
      { cause },
    )
  }
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

/** What a code cache is valid for. */
function codeVersion() {
  return `${process.versions.v8} ${process.arch}`
}

module.exports = { evaluate, codeVersion }
