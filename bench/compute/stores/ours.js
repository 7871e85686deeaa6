'use strict'

const { SharedMemoryClass } = require('../../..')

/** A memory lives as long as somebody uses it. */
let kept = null

module.exports = {
  prepare: () => {
    kept = new SharedMemoryClass()
    return kept.ready.then(() => null)
  },

  open: async ({ options: { sync = false, near } }) => {
    const memory = new SharedMemoryClass(undefined, { nearCache: near })
    const increment = (key) => memory.increment(key)
    const now = {
      get: (key) => memory.getSync(key),
      set: (key, value) => memory.setSync(key, value),
      increment,
    }
    const later = {
      get: (key) => memory.get(key),
      set: (key, value) => memory.set(key, value),
      increment,
    }
    return {
      of: () => (sync ? now : later),
      how: (figure) => ({ sync: sync && figure !== 'increment' }),
    }
  },
}
