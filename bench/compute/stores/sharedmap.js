'use strict'

// Holds strings, of a length that is fixed: other values are written as text, and bytes not at all.

const SharedMap = require('sharedmap')

const TEXT = {
  number: [Number, (value) => value],
  string: [(text) => text, (value) => value],
  object: [JSON.parse, JSON.stringify],
}

module.exports = {
  prepare: ({ keys }) => new SharedMap(keys * 4, 16, 80),

  open: async ({ shared }) => {
    // What comes with a message has no methods.
    const map = Object.setPrototypeOf(shared, SharedMap.prototype)
    const stores = new Map(
      Object.entries(TEXT).map(([kind, [read, write]]) => [
        kind,
        { get: (key) => read(map.get(key)), set: (key, value) => map.set(key, write(value)) },
      ]),
    )
    return { of: (kind) => stores.get(kind) ?? {}, how: () => ({ sync: true }) }
  },
}
