'use strict'

// Functions that a worker brought itself, by name: nobody sends their text.

const { evaluate } = require('../functions/evaluate')
const { Runner } = require('../functions/runner')

const AsyncFunction = (async () => {}).constructor

class LocalFunctions {
  #functions
  /** @type {Map<string, InstanceType<typeof Runner>>} by kind and name */
  #runners = new Map()

  /** @param {Record<string, (...args: any[]) => unknown>} functions */
  constructor(functions) {
    this.#functions = new Map(Object.entries(functions))
  }

  /** @param {string} name */
  has(name) {
    return this.#functions.has(name)
  }

  /**
   * @param {string} name
   * @param {import('../functions').Kind} kind
   */
  runner(name, kind) {
    const key = `${kind} ${name}`
    let runner = this.#runners.get(key)
    if (runner === undefined) {
      runner = this.#make(name, kind)
      this.#runners.set(key, runner)
    }
    return runner
  }

  /**
   * @param {string} name
   * @param {import('../functions').Kind} kind
   */
  #make(name, kind) {
    const fn = this.#functions.get(name)
    const isAsync = fn instanceof AsyncFunction
    const report = { kind: isAsync ? 'async' : 'sync', usesScope: true, usesContext: true }
    const description = /** @type {any} */ ({ hash: name, name, code: '', report })
    // The loop around it is made from text as for others, the function is there already.
    const make = (
      /** @type {string} */ text,
      /** @type {number} */ indent,
      /** @type {string} */ part,
    ) => (part === 'loop' ? evaluate(text, part, indent).value : fn)
    return new Runner(description, kind, make, false)
  }
}

module.exports = LocalFunctions
