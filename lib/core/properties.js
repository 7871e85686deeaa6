'use strict'

// Properties that are computed here and plain data in SocketCluster.

/**
 * Makes getters of a class enumerable, and has an assignment replace them on the object, as it
 * does with data.
 *
 * @param {object} prototype
 * @param {readonly string[]} names
 */
function replaceable(prototype, names) {
  for (const name of names) {
    const { get } = /** @type {PropertyDescriptor} */ (
      Object.getOwnPropertyDescriptor(prototype, name)
    )
    Object.defineProperty(prototype, name, {
      get() {
        return this === prototype ? undefined : get.call(this)
      },
      set(value) {
        const data = { value, writable: true, enumerable: true, configurable: true }
        Object.defineProperty(this, name, data)
      },
      enumerable: true,
      configurable: true,
    })
  }
}

/** The public accessors of a prototype, to be defined on its objects as what is enumerable there. */
function ownAccessors(prototype) {
  const accessors = {}
  for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    const isPublic = descriptor.get && !name.startsWith('_')
    if (isPublic) accessors[name] = { ...descriptor, enumerable: true }
  }
  return accessors
}

module.exports = { ownAccessors, replaceable }
