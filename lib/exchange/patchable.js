'use strict'

// Methods which applications replace on an instance, and whose replacement must be noticed.

/**
 * Turns methods of a class into accessors: reading gives the current function, assigning one to an
 * instance stores it in the instance's `_patches` (a Map its constructor sets) and calls
 * `onPatched(instance, name)`. Assigning the original function restores the method.
 *
 * @param {Function} Class
 * @param {readonly string[]} names
 * @param {(instance: any, name: string) => void} onPatched
 */
function makePatchable(Class, names, onPatched) {
  for (const name of names) {
    const original = Class.prototype[name]
    Object.defineProperty(Class.prototype, name, {
      get() {
        return isInstance(this) && this._patches.has(name) ? this._patches.get(name) : original
      },
      set(replacement) {
        if (!isInstance(this)) {
          shadow(this, name, replacement)
          return
        }
        if (replacement === original) this._patches.delete(name)
        else this._patches.set(name, replacement)
        onPatched(this, name)
      },
      configurable: true,
    })
  }
}

// A prototype has no map of its own, be it that of the class or of a subclass.
function isInstance(object) {
  return Object.hasOwn(object, '_patches')
}

// What assigning to an inherited method does everywhere else.
function shadow(object, name, value) {
  Object.defineProperty(object, name, { value, writable: true, configurable: true })
}

module.exports = { makePatchable }
