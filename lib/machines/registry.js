'use strict'

// The functions a manager knows by name, and what a registered function is to those who use it.

const { describe } = require('../functions')
const { check, listOf, shown, text, invalid } = require('./options')

const RULES = { name: text, globals: listOf(text) }

/** A text that can only be a name: no function is written so. */
const NAME = /^[\w$.:@/-]{1,256}$/

class Registry {
  #manager
  /** @type {Map<string, any>} descriptions by name */
  #named = new Map()

  /** @param {import('./manager')} manager */
  constructor(manager) {
    this.#manager = manager
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
    const description = describe(fn, { globals, uses: 'item' })
    if (name !== undefined) this.#add(name, description)
    const manager = this.#manager
    const registered = (...args) => manager.run(registered, args)
    const { hash, code, report } = description
    const properties = {
      hash,
      name: name ?? description.name,
      mode: report.specialisable || report.kind === 'sync' ? 'sync-loop' : 'async',
      source: code,
    }
    for (const [key, value] of Object.entries(properties)) {
      Object.defineProperty(registered, key, { value, enumerable: true, configurable: true })
    }
    descriptions.set(registered, description)
    return registered
  }

  /**
   * @param {string} name
   * @param {{ hash: string }} description
   */
  #add(name, description) {
    const before = this.#named.get(name)
    if (before && before.hash !== description.hash) {
      throw invalid(`register(): another function is registered as ${shown(name)}`)
    }
    this.#named.set(name, description)
  }

  /**
   * @param {unknown} fn a function, a registered one, its name, the name of one that workers have, or text
   * @returns {any} what it is to jobs
   */
  describe(fn) {
    const known =
      typeof fn === 'string' ? this.#named.get(fn) : descriptions.get(/** @type {any} */ (fn))
    if (known) return known
    if (typeof fn === 'string' && NAME.test(fn)) return byName(fn)
    return describe(/** @type {any} */ (fn), { uses: 'item' })
  }
}

/** @type {WeakMap<object, any>} what was registered, of all managers */
const descriptions = new WeakMap()

/**
 * A function that workers have themselves.
 * @param {string} name
 */
const byName = (name) => ({ hash: `name:${name}`, name, code: undefined, report: undefined })

module.exports = Registry
