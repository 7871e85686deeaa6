'use strict'

const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { places, here, elsewhere } = require('./support/places.js')
const { randomOf, valuesOf } = require('../values/random-values.js')

const conflict = { code: 'ERR_NC_CONFLICT' }
let last = 0
/** Tests of one process share its memory. */
const fresh = (name) => `${name} ${++last}`

/** Array.fromAsync is not in Node.js 20. */
async function all(iterable) {
  const items = []
  for await (const item of iterable) items.push(item)
  return items
}

for (const { name, open } of places) {
  describe(`a memory ${name}`, () => {
    test('gives what was set', async (t) => {
      const memory = await open(t)
      const key = fresh('get')
      assert.equal(await memory.get(key), undefined)
      assert.equal(await memory.has(key), false)
      assert.match(await memory.set(key, { a: [1, 'é', null] }), /^[0-9a-f]{16}$/)
      assert.deepEqual(await memory.get(key), { a: [1, 'é', null] })
      assert.equal(await memory.has(key), true)
      await memory.set(key, undefined)
      assert.equal(await memory.get(key), undefined)
      assert.equal(await memory.has(key), true)
    })

    test('keeps the type of every value', async (t) => {
      const memory = await open(t)
      const key = fresh('type')
      for (let seed = 1; seed <= 300; seed++) {
        const value = valuesOf(randomOf(seed)).any(3)
        await memory.set(key, value)
        assert.deepStrictEqual(await memory.get(key), structuredClone(value), `seed ${seed}`)
        assert.deepStrictEqual((await memory.getEntry(key)).value, structuredClone(value))
      }
    })

    test('never gives what the caller goes on to change', async (t) => {
      const memory = await open(t)
      const key = fresh('alias')
      const bytes = Uint8Array.of(1, 2)
      await memory.set(key, bytes)
      bytes[0] = 9
      assert.deepEqual(await memory.get(key), Uint8Array.of(1, 2))
      const list = [1]
      await memory.set(key, list)
      list.push(2)
      const first = await memory.get(key)
      first.push(3)
      assert.deepEqual(await memory.get(key), [1])
    })

    test('takes any string of up to 1024 bytes as a key', async (t) => {
      const memory = await open(t)
      const keys = ['__proto__', 'constructor', '\0', ' ', '漢'.repeat(341), 'x'.repeat(1024), '😀']
      for (const [i, key] of keys.entries()) await memory.set(key, i)
      const values = await memory.getMany([...keys, fresh('absent')])
      assert.equal(Object.getPrototypeOf(values), Object.prototype)
      assert.deepEqual(Object.keys(values), keys)
      assert.deepEqual(Object.values(values), [...keys.keys()])
      for (const key of keys) assert.equal(await memory.delete(key), true)
      assert.deepEqual(await memory.getMany(keys), {})
    })

    test('says when a value was set, and when it ends', async (t) => {
      const memory = await open(t)
      const key = fresh('entry')
      assert.equal(await memory.getEntry(key), undefined)
      const before = Date.now()
      const version = await memory.set(key, 1)
      const after = Date.now()
      const entry = await memory.getEntry(key)
      assert.deepEqual(Object.keys(entry), ['key', 'value', 'version', 'timestamp'])
      assert.equal(entry.version, version)
      assert.ok(entry.timestamp >= before - 1 && entry.timestamp <= after + 1)
      const later = await memory.set(key, 1, { ttl: 60_000 })
      assert.ok(later > version)
      const { expiresAt } = await memory.getEntry(key)
      assert.ok(expiresAt >= before + 60_000 && expiresAt <= Date.now() + 60_000)
      await memory.set(key, 1)
      assert.equal((await memory.getEntry(key)).expiresAt, undefined)
    })

    test('forgets a value when its time is over', async (t) => {
      const memory = await open(t)
      const key = fresh('ttl')
      const watch = memory.watch(key)
      await memory.set(key, 1, { ttl: 40 })
      assert.equal(await memory.get(key), 1)
      const { value: set } = await watch.next()
      const { value: expire } = await watch.next()
      assert.deepEqual([set.type, expire.type], ['set', 'expire'])
      assert.equal(await memory.get(key), undefined)
      assert.equal(await memory.has(key), false)
      assert.equal(await memory.delete(key), false)
      await watch.return()
    })

    test('sets many at once, or none of them', async (t) => {
      const memory = await open(t)
      const [a, b, c] = ['a', 'b', 'c'].map(fresh)
      assert.equal(await memory.set({ [a]: 1, [b]: 'x' }), undefined)
      assert.deepEqual(await memory.getMany([a, b, c]), { [a]: 1, [b]: 'x' })
      const [one, other] = [await memory.getEntry(a), await memory.getEntry(b)]
      assert.equal(one.timestamp, other.timestamp)
      await assert.rejects(memory.set({ [c]: 1, [a]: 2 }, { ifAbsent: true }), conflict)
      assert.equal(await memory.has(c), false)
      await assert.rejects(memory.set({ [c]: 1, [a]: () => {} }), { code: 'ERR_NC_INVALID_VALUE' })
      assert.equal(await memory.has(c), false)
      assert.equal(await memory.set({}), undefined)
      const many = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`${c} ${i}`, i]))
      await memory.set(many)
      assert.deepEqual(await memory.getMany(Object.keys(many)), many)
    })

    test('sets only if there is nothing, or only what is there', async (t) => {
      const memory = await open(t)
      const key = fresh('if')
      const version = await memory.set(key, 1, { ifAbsent: true })
      await assert.rejects(memory.set(key, 2, { ifAbsent: true }), conflict)
      const next = await memory.set(key, 2, { ifVersion: version })
      await assert.rejects(memory.set(key, 3, { ifVersion: version }), conflict)
      assert.equal((await memory.getEntry(key)).version, next)
      assert.equal(await memory.compareAndSet(key, undefined, 4), false)
      assert.equal(await memory.compareAndSet(key, version, 4), false)
      assert.equal(await memory.compareAndSet(key, next, 4), true)
      await memory.delete(key)
      assert.equal(await memory.compareAndSet(key, next, 5), false)
      assert.equal(await memory.compareAndSet(key, undefined, 5), true)
      assert.equal(await memory.get(key), 5)
    })

    test('increments, and deletes', async (t) => {
      const memory = await open(t)
      const key = fresh('n')
      assert.equal(await memory.increment(key), 1)
      assert.equal(await memory.increment(key, -2.5), -1.5)
      assert.equal(await memory.delete(key), true)
      assert.equal(await memory.delete(key), false)
      await memory.set(key, '1')
      await assert.rejects(memory.increment(key), { code: 'ERR_NC_INVALID_VALUE' })
      assert.equal(await memory.get(key), '1')
      await memory.set(key, 1, { ttl: 60_000 })
      const { expiresAt } = await memory.getEntry(key)
      await memory.increment(key)
      assert.equal((await memory.getEntry(key)).expiresAt, expiresAt)
    })

    test('updates, also if somebody else is faster', async (t) => {
      const memory = await open(t)
      const key = fresh('update')
      assert.equal(await memory.update(key, (old) => (old ?? 0) + 1), 1)
      let calls = 0
      const value = await memory.update(key, async (old) => {
        if (calls++ < 3) await memory.increment(key, 10)
        return old + 1
      })
      assert.deepEqual([value, calls, await memory.get(key)], [32, 4, 32])
      // So often that it waits for its turn.
      calls = 0
      await memory.update(key, async (old) => {
        if (calls++ < 20) await memory.increment(key)
        return old
      })
      assert.equal(calls, 21)
      await assert.rejects(
        memory.update(key, () => {
          throw new RangeError('mine')
        }),
        RangeError,
      )
      const signal = AbortSignal.abort(new Error('enough'))
      await assert.rejects(
        memory.update(key, () => 1, { signal }),
        { message: 'enough' },
      )
      await memory.set(key, 1, { ttl: 60_000 })
      await memory.update(key, (old) => old + 1)
      assert.ok((await memory.getEntry(key)).expiresAt > Date.now() + 50_000)
    })

    test('lists keys and entries', async (t) => {
      const memory = await open(t)
      const prefix = fresh('list ')
      const values = new Map(Array.from({ length: 200 }, (_, i) => [`${prefix}${i}`, { i }]))
      await memory.set(Object.fromEntries(values))
      const keys = await all(memory.keys({ prefix }))
      assert.deepEqual(keys.toSorted(), [...values.keys()].toSorted())
      const entries = await all(memory.entries({ prefix }))
      assert.equal(entries.length, 200)
      for (const { key, value } of entries) assert.deepEqual(value, values.get(key))
      const everything = (await all(memory)).filter(({ key }) => values.has(key))
      assert.equal(everything.length, 200)
      for await (const key of memory.keys({ prefix })) {
        assert.ok(values.has(key))
        break
      }
      assert.deepEqual(await all(memory.keys({ prefix: fresh('none') })), [])
    })

    test('tells its figures', async (t) => {
      const memory = await open(t)
      const before = await memory.stats()
      await memory.set(fresh('stats'), 'x'.repeat(1000))
      const after = await memory.stats()
      assert.equal(after.entries, before.entries + 1)
      assert.ok(after.bytes >= before.bytes + 1000)
      assert.ok(after.clients >= 1)
    })

    test('is closed for good, more than once', async (t) => {
      const memory = await open(t)
      const watch = memory.watch('x')
      const reading = watch.next()
      await memory.close()
      await memory.close()
      await memory[Symbol.asyncDispose]()
      assert.deepEqual(await reading, { done: true, value: undefined })
      const calls = [
        () => memory.get('x'),
        () => memory.getEntry('x'),
        () => memory.getMany(['x']),
        () => memory.has('x'),
        () => memory.set('x', 1),
        () => memory.set({ x: 1 }),
        () => memory.delete('x'),
        () => memory.increment('x'),
        () => memory.compareAndSet('x', undefined, 1),
        () => memory.update('x', () => 1),
        () => memory.transaction(async (tx) => tx.get('x')),
        () => memory.transaction(() => 1),
        () => memory.lock('x'),
        () => memory.runOnKey('x', () => 1),
        () => memory.stats(),
      ]
      for (const call of calls) await assert.rejects(call(), { code: 'ERR_NC_CLOSED' })
      for (const call of [
        () => memory.watch('x'),
        () => memory.keys(),
        () => memory.entries(),
        () => memory.getSync('x'),
        () => memory.setSync('x', 1),
      ]) {
        assert.throws(call, { code: 'ERR_NC_CLOSED' })
      }
    })
  })
}

test('at once, in this process', async (t) => {
  const memory = await here(t)
  const key = fresh('sync')
  assert.equal(memory.getSync(key), undefined)
  for (const value of [
    1,
    'é',
    '漢',
    true,
    null,
    undefined,
    { a: [1] },
    new Date(0),
    Buffer.from('x'),
  ]) {
    assert.equal(memory.setSync(key, value), undefined)
    assert.deepEqual(memory.getSync(key), structuredClone(value))
  }
  memory.setSync(key, 1, { ttl: 60_000 })
  assert.ok((await memory.getEntry(key)).expiresAt > Date.now())
  assert.throws(() => memory.setSync(key, 1, { ifAbsent: true }), conflict)
})

test('not at once, in another process', async (t) => {
  const memory = await elsewhere(t)
  for (const call of [() => memory.getSync('x'), () => memory.setSync('x', 1)]) {
    assert.throws(call, { code: 'ERR_NC_NOT_OWNER' })
  }
})

test('with JSON as the serializer, objects are what JSON makes of them', async (t) => {
  const memory = await here(t, { serializer: 'json' })
  const key = fresh('json')
  const table = [
    [
      { date: new Date(0), none: undefined, map: new Map([[1, 2]]) },
      { date: '1970-01-01T00:00:00.000Z', map: {} },
    ],
    [
      [NaN, -0, undefined],
      [null, 0, null],
    ],
    [Uint8Array.of(1), Uint8Array.of(1)],
    [NaN, NaN],
    [7n, 7n],
  ]
  for (const [value, expected] of table) {
    await memory.set(key, value)
    assert.deepEqual(await memory.get(key), expected)
  }
  const circle = {}
  circle.self = circle
  for (const value of [circle, { n: 1n }, { toJSON: () => undefined }]) {
    await assert.rejects(memory.set(key, value), { code: 'ERR_NC_INVALID_VALUE' })
  }
  assert.equal(await memory.get(key), 7n)
})
