'use strict'

// The functions a manager knows by name, and what a registered function is to those who use it.

const { NetworkClusterError } = require('../core/network-cluster-error')
const { describe, stands } = require('../functions')
const { NAME, check, listOf, shown, text, invalid } = require('./options')

const RULES = { name: text, globals: listOf(text) }

/** @typedef {{ hash: string, name: string, code?: string, report?: any }} Called */

class Registry {
  #manager
  #acceptWorkers
  /** @type {Map<string, (...args: any[]) => unknown>} registered functions by name */
  #named = new Map()

  /**
   * @param {import('./manager')} manager
   * @param {boolean} acceptWorkers whether there may be workers with functions of their own
   */
  constructor(manager, acceptWorkers) {
    this.#manager = manager
    this.#acceptWorkers = acceptWorkers
  }

  /**
   * @param {((...args: any[]) => unknown) | string} fn
   * @param {{ name?: string, globals?: readonly string[] }} [options]
   * @returns {any}
   */
  register(fn, options) {
    const { name, globals } = check('register()', options, RULES)
    if (name !== undefined && !NAME.test(name)) {
      throw invalid(`register(): ${shown(name)} is not a name: letters, digits and _$.:@/- are`)
    }
    const { hash, name: own, code, report } = describe(fn, { globals, uses: 'call' })
    const manager = this.#manager
    const registered = stands((...args) => manager.run(registered, args), fn, globals)
    const mode = report.kind === 'sync' || report.specialisable ? 'sync-loop' : 'async'
    const properties = { hash, name: name ?? own, mode, source: code }
    for (const [key, value] of Object.entries(properties)) {
      Object.defineProperty(registered, key, { value, enumerable: true })
    }
    if (name !== undefined) this.#add(name, registered)
    return registered
  }

  /**
   * @param {string} name
   * @param {any} registered
   */
  #add(name, registered) {
    const before = /** @type {any} */ (this.#named.get(name))
    if (before && before.hash !== registered.hash) {
      throw invalid(`register(): another function is registered as ${shown(name)}`)
    }
    this.#named.set(name, registered)
  }

  /**
   * @param {any} fn a function, a registered one, its name, the name of one that workers have, or text
   * @param {readonly string[]} [globals]
   * @returns {Called}
   */
  describe(fn, globals) {
    if (typeof fn === 'string' && NAME.test(fn)) {
      const known = this.#named.get(fn)
      if (known === undefined && this.#acceptWorkers) return { hash: fn, name: fn }
      if (known === undefined) {
        const message = `no function is registered as ${shown(fn)}`
        throw new NetworkClusterError('ERR_NC_NOT_A_FUNCTION', message)
      }
      return describe(known, { uses: 'call' })
    }
    return describe(fn, { globals, uses: 'call' })
  }
}

module.exports = Registry
