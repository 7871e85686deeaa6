'use strict'

// Iterators with the workers that managers make.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { IteratorClass } = require('../../lib/compute/iterator.js')
const { Manager } = require('../../lib/machines')
const { SharedMemoryClass } = require('../../lib/memory')
const { numbers } = require('./support.js')

for (const workerType of /** @type {const} */ (['thread', 'process', 'inline'])) {
  test(`workers of the type ${workerType}`, async (t) => {
    const manager = new Manager({ maxWorkers: 2, workerType })
    const memory = new SharedMemoryClass()
    t.after(async () => {
      await manager.close()
      await memory.close()
    })
    const Iterator = new IteratorClass(manager)
    const items = numbers(200)
    await memory.set({ two: 2, sum: 0 })
    assert.deepEqual(
      await new Iterator(items).map((x) => {
        for (;;) return x * 2
      }),
      items.map((x) => x * 2),
    )
    const scoped = new Iterator(items).useScope(memory)
    const times = await scoped.map(async (x, scope) => {
      for (;;) return x * (await scope.get('two'))
    })
    assert.deepEqual(
      times,
      items.map((x) => x * 2),
    )
    await scoped.forEach(async (x, scope) => {
      await scope.increment('sum', x)
    })
    assert.equal(await memory.get('sum'), 19_900)
    const streamed = []
    for await (const value of new Iterator(items.values()).stream((x) => {
      for (;;) return { x }
    })) {
      streamed.push(value.x)
    }
    assert.deepEqual(streamed, items)
    const error = await new Iterator(items)
      .map((x) => {
        if (x === 150) throw Object.assign(new TypeError('no'), { code: 'ENO' })
        return x
      })
      .catch((reason) => reason)
    assert.equal(error.itemIndex, 150)
    assert.ok(error.cause instanceof TypeError)
    assert.equal(/** @type {any} */ (error.cause).code, 'ENO')
  })
}

test('what runs inline ends with its manager too', async () => {
  const manager = new Manager({ maxWorkers: 1 })
  const Iterator = new IteratorClass(manager)
  assert.deepEqual(await new Iterator([1]).map((x) => x), [1])
  await manager.close()
  await assert.rejects(
    new Iterator([1]).map((x) => x),
    { code: 'ERR_NC_CLOSED' },
  )
  assert.throws(() => new Iterator([1]).stream((x) => x), { code: 'ERR_NC_CLOSED' })
})
