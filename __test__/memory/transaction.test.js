'use strict'

const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { places } = require('./support/places.js')

const conflict = { code: 'ERR_NC_CONFLICT' }

for (const { name, open } of places) {
  describe(`a transaction of a memory ${name}`, () => {
    test('sees its own writes, and nobody else does before its end', async (t) => {
      const memory = await open(t)
      await memory.set({ a: 1, b: { list: [1] } })
      const result = await memory.transaction(async (tx) => {
        assert.deepEqual(await tx.getMany(['a', 'b', 'c']), { a: 1, b: { list: [1] } })
        await tx.set('a', 2)
        await tx.set({ c: 3, d: new Date(0) }, { ttl: 60_000 })
        assert.equal(await tx.delete('b'), true)
        assert.equal(await tx.delete('nothing'), false)
        assert.equal(await tx.increment('c', 4), 7)
        assert.deepEqual(await tx.getMany(['a', 'b', 'c', 'd']), { a: 2, c: 7, d: new Date(0) })
        assert.deepEqual([await tx.has('b'), await tx.has('c')], [false, true])
        assert.deepEqual(await memory.getMany(['a', 'b', 'c', 'd']), { a: 1, b: { list: [1] } })
        return 'done'
      })
      assert.equal(result, 'done')
      assert.deepEqual(await memory.getMany(['a', 'b', 'c', 'd']), { a: 2, c: 7, d: new Date(0) })
      assert.ok((await memory.getEntry('d')).expiresAt > Date.now())
    })

    test('runs again if what it has read was changed', async (t) => {
      const memory = await open(t)
      await memory.set('n', 0)
      let runs = 0
      await memory.transaction(async (tx) => {
        const value = await tx.get('n')
        if (runs++ < 3) await memory.increment('n')
        assert.equal(await tx.get('n'), value)
        await tx.set('n', value + 100)
      })
      assert.deepEqual([runs, await memory.get('n')], [4, 103])
    })

    test('gives up after so many times', async (t) => {
      const memory = await open(t)
      let runs = 0
      const never = async (tx) => {
        await tx.increment('never')
        runs++
        await memory.increment('never')
      }
      await assert.rejects(memory.transaction(never, { retries: 2 }), conflict)
      assert.deepEqual([runs, await memory.get('never')], [3, 3])
      await assert.rejects(memory.transaction(never, { retries: 0 }), conflict)
      assert.equal(runs, 4)
    })

    test('writes nothing if its function throws', async (t) => {
      const memory = await open(t)
      await memory.delete('half')
      const failing = memory.transaction(async (tx) => {
        await tx.set('half', 1)
        throw new RangeError('mine')
      })
      await assert.rejects(failing, { name: 'RangeError', message: 'mine' })
      assert.equal(await memory.has('half'), false)
    })

    test('what its function throws because of values that never were there together does not count', async (t) => {
      const memory = await open(t)
      await memory.set({ left: 1, right: -1 })
      let runs = 0
      const sum = await memory.transaction(async (tx) => {
        const left = await tx.get('left')
        if (runs++ === 0) await memory.set({ left: 2, right: -2 })
        const right = await tx.get('right')
        if (left + right !== 0) throw new Error('never')
        return left + right
      })
      assert.deepEqual([sum, runs], [0, 2])
    })

    test('sees at its end that what it only read was there together', async (t) => {
      const memory = await open(t)
      await memory.set({ left: 1, right: -1 })
      let runs = 0
      const sum = await memory.transaction(async (tx) => {
        const left = await tx.get('left')
        if (runs++ === 0) await memory.set({ left: 2, right: -2 })
        return left + (await tx.get('right'))
      })
      assert.deepEqual([sum, runs], [0, 2])
    })

    test('increments in parallel, and compares', async (t) => {
      const memory = await open(t)
      await memory.set('p', 0)
      const version = await memory.set('q', 1)
      await memory.transaction(async (tx) => {
        await Promise.all(Array.from({ length: 10 }, () => tx.increment('p')))
        assert.equal(await tx.compareAndSet('q', undefined, 2), false)
        assert.equal(await tx.compareAndSet('q', version, 2), true)
        await assert.rejects(tx.set('q', 1, { ifAbsent: true }), conflict)
        await tx.set('q', 3, { ifVersion: version })
        await assert.rejects(tx.increment('q', NaN), { code: 'ERR_NC_INVALID_ARG' })
      })
      assert.deepEqual(await memory.getMany(['p', 'q']), { p: 10, q: 3 })
    })

    test('is over when its function is', async (t) => {
      const memory = await open(t)
      let kept
      await memory.transaction(async (tx) => {
        kept = tx
      })
      await assert.rejects(kept.get('a'), { code: 'ERR_NC_CLOSED' })
      await assert.rejects(kept.set('a', 1), { code: 'ERR_NC_CLOSED' })
    })
  })
}
