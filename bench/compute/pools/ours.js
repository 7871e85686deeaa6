'use strict'

const { IteratorClass, Manager, SharedMemoryClass } = require('../../..')

const CALLBACKS = {
  double: (item) => item * 2,
  burn: (rounds) => {
    let x = rounds
    for (let round = 0; round < rounds; round++) x = (Math.imul(x, 1664525) + 1013904223) | 0
    return x
  },
  scale: async (item, scope) => {
    const multiplier = await scope.get('multiplier')
    return item * multiplier
  },
}

module.exports = async ({ threads, multiplier, map }) => {
  const manager = new Manager({ minWorkers: threads, maxWorkers: threads })
  await manager.start()
  const Iterator = new IteratorClass(manager)
  const memory = new SharedMemoryClass()
  await memory.set({ multiplier })
  return {
    map: (task, items) => new Iterator(items).useScope(memory).map(CALLBACKS[task], map),
  }
}
