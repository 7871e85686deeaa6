'use strict'

// Who does what, where workers are processes.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { IteratorClass } = require('../../lib/compute/iterator')
const { SharedMemoryClass } = require('../../lib/memory')
const { withManager, within } = require('./support')

test('work of processes does not wait behind work that does not end', async () => {
  for (const scoped of [false, true]) {
    await withManager({ workerType: 'process', maxWorkers: 2 }, async (manager) => {
      const memory = scoped ? new SharedMemoryClass() : undefined
      await memory?.set('free', 0)
      const Iterator = new IteratorClass(manager)
      const on = (items) => (scoped ? new Iterator(items).useScope(memory) : new Iterator(items))
      const endless = scoped
        ? async (_, scope) => {
            for (let i = await scope.get('free'); ; i++);
          }
        : () => {
            for (;;);
          }
      const never = on([0]).forEach(endless)
      const given = assert.rejects(never, { code: 'ERR_NC_CLOSED' })
      const runs = Array.from({ length: 4 }, (_, i) => manager.run((n) => n, [i]))
      assert.deepEqual(await within(Promise.all(runs), 'results'), [0, 1, 2, 3])
      await manager.close({ force: true })
      await given
      await memory?.close()
    })
  }
})

test('functions that wait share a process', async () => {
  await withManager({ workerType: 'process', maxWorkers: 1 }, async (manager) => {
    const memory = new SharedMemoryClass()
    const Iterator = new IteratorClass(manager)
    // None of them ends before all have begun.
    const meet = async (_, scope) => {
      await scope.increment('here')
      while ((await scope.get('here')) < 8) await new Promise((resolve) => setTimeout(resolve, 5))
    }
    const met = Array.from({ length: 8 }, () => new Iterator([0]).useScope(memory).forEach(meet))
    await within(Promise.all(met), 'end')
    await memory.close()
  })
})

test('each process has its part of what takes long', async () => {
  await withManager({ workerType: 'process', maxWorkers: 2, minWorkers: 2 }, async (manager) => {
    await manager.start()
    const long = (_item, _scope, ctx) => {
      const end = Date.now() + 300
      while (Date.now() < end);
      return ctx.workerId
    }
    const Iterator = new IteratorClass(manager)
    const workers = await new Iterator([1, 2]).map(long)
    assert.equal(new Set(workers).size, 2)
  })
})
