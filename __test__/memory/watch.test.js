'use strict'

const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { places } = require('./support/places.js')

const short = ({ type, key, value }) => (value === undefined ? [type, key] : [type, key, value])

async function take(watch, count) {
  const changes = []
  while (changes.length < count) changes.push((await watch.next()).value)
  return changes
}

/** What there is, as pairs. */
async function entriesOf(memory, prefix) {
  const entries = []
  for await (const { key, value } of memory.entries({ prefix })) entries.push([key, value])
  return entries
}

for (const { name, open } of places) {
  describe(`a watch of a memory ${name}`, () => {
    test('tells the changes of a key, in order', async (t) => {
      const memory = await open(t)
      await memory.set('w', 0)
      const watch = memory.watch('w')
      await memory.set('w', { a: 1 })
      await memory.set('wx', 1)
      await memory.increment('n')
      await memory.set({ w: 'é漢', other: 1 })
      await memory.delete('w')
      await memory.set('w', undefined)
      const changes = await take(watch, 4)
      assert.deepEqual(changes.map(short), [
        ['set', 'w', { a: 1 }],
        ['set', 'w', 'é漢'],
        ['delete', 'w'],
        ['set', 'w'],
      ])
      const versions = changes.map(({ version }) => version)
      assert.deepEqual(versions, versions.toSorted())
      assert.deepEqual(await watch.return(), { done: true, value: undefined })
      assert.deepEqual(await watch.next(), { done: true, value: undefined })
    })

    test('tells those of all keys with a prefix, in the order of their versions', async (t) => {
      const memory = await open(t)
      const watch = memory.watch({ prefix: 'p:' })
      await Promise.all(Array.from({ length: 300 }, (_, i) => memory.set(`p:${i}`, i)))
      await memory.set('q', 1)
      const changes = await take(watch, 300)
      const versions = changes.map(({ version }) => version)
      assert.deepEqual(versions, versions.toSorted())
      assert.equal(new Set(changes.map(({ key }) => key)).size, 300)
      await watch.return()
    })

    test('goes on from a version', async (t) => {
      const memory = await open(t)
      await memory.set('s:1', 1)
      const since = await memory.set('s:2', 2)
      await memory.set('s:3', 3)
      await memory.delete('s:1')
      await memory.set('s:3', 4)
      const watch = memory.watch({ prefix: 's:' }, { since })
      // While nobody watched, only the versions of one key had an order.
      assert.deepEqual((await take(watch, 2)).map(short).toSorted(), [
        ['delete', 's:1'],
        ['set', 's:3', 4],
      ])
      await memory.set('s:2', 5)
      assert.deepEqual((await take(watch, 1)).map(short), [['set', 's:2', 5]])
      await watch.return()
    })

    test('from a version too long ago begins with a reset', async (t) => {
      const memory = await open(t)
      await memory.set('r:1', 1)
      const watch = memory.watch({ prefix: 'r:' }, { since: '0000000000000001' })
      const changes = await take(watch, 2)
      assert.deepEqual(changes.map(short), [
        ['reset', ''],
        ['set', 'r:1', 1],
      ])
      await watch.return()
    })

    test('that is read slowly misses values, but never the last one', async (t) => {
      const memory = await open(t)
      const watch = memory.watch({ prefix: 'slow:' })
      for (let round = 1; round <= 30; round++) {
        await memory.set(
          Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`slow:${i}`, round])),
        )
      }
      await memory.delete('slow:0')
      const state = new Map()
      let count = 0
      for await (const { type, key, value } of watch) {
        count++
        if (type === 'set') state.set(key, value)
        else if (type === 'delete') state.delete(key)
        else state.clear()
        if (
          state.size === 199 &&
          !state.has('slow:0') &&
          [...state.values()].every((it) => it === 30)
        )
          break
      }
      assert.ok(count < 3000, `${count} of 6000 changes`)
    })

    test('that is read slowly ends, however many deletes were forgotten meanwhile', async (t) => {
      const memory = await open(t)
      const since = await memory.set('{t}first', 1)
      // One partition, and more deletes than one remembers.
      const key = (i) => `{t}${i}`
      const all = (from, to) => Array.from({ length: to - from }, (_, i) => key(from + i))
      await memory.set(Object.fromEntries(all(0, 8000).map((name, i) => [name, i])))
      await Promise.all(all(3000, 8000).map((name) => memory.delete(name)))
      const watch = memory.watch({ prefix: '{t}' }, { since })
      const state = new Map()
      let [resets, count] = [0, 0]
      const forgets = all(0, 5000)
      for await (const { type, key: name, value } of watch) {
        count++
        if (type === 'set') state.set(name, value)
        else if (type === 'delete') state.delete(name)
        else {
          state.clear()
          resets++
        }
        if (count % 10 === 0) await new Promise(setImmediate)
        // While it is being read, others are deleted that it knows nothing of yet.
        if (count === 500)
          await memory.set(Object.fromEntries(forgets.map((it) => [`${it} too`, 0])))
        if (count === 1000) {
          await Promise.all(forgets.slice(0, 4000).map((it) => memory.delete(`${it} too`)))
          await memory.set('{t}last', true)
        }
        if (count > 30_000 || (state.has('{t}last') && state.size === 4002)) break
      }
      assert.equal(resets, 1)
      assert.ok(count < 20_000, `${count} changes`)
      const expected = await entriesOf(memory, '{t}')
      assert.deepEqual(new Map([...state].toSorted()), new Map(expected.toSorted()))
    })

    test('holds back what a slow reader has no room for', async (t) => {
      const memory = await open(t)
      const watch = memory.watch({ prefix: 'held:' })
      await memory.set('held:first', 0)
      await watch.next()
      for (let round = 0; round < 200; round++) {
        await memory.set(`held:${round % 50}`, new Uint8Array(1 << 20).fill(round))
      }
      let count = 0
      const last = new Map()
      while (last.size < 50 || [...last.values()].some((it) => it < 150)) {
        const { value } = await watch.next()
        last.set(value.key, value.value[0])
        count++
      }
      assert.ok(count < 150, `${count} of 200 changes`)
      await watch.return()
    })

    test('ends with its signal, which the reader is told', async (t) => {
      const memory = await open(t)
      const control = new AbortController()
      const watch = memory.watch('x', { signal: control.signal })
      const reading = watch.next()
      const reason = new RangeError('enough')
      control.abort(reason)
      await assert.rejects(reading, reason)
      assert.deepEqual(await watch.next(), { done: true, value: undefined })
      const other = new AbortController()
      const idle = memory.watch('x', { signal: other.signal })
      other.abort(reason)
      await assert.rejects(idle.next(), reason)
    })

    test('leaves nothing behind', async (t) => {
      const memory = await open(t)
      const { watchers } = await memory.stats()
      for (let i = 0; i < 20; i++) {
        const watch = memory.watch({ prefix: '' })
        await memory.increment('n')
        for await (const change of watch) {
          assert.equal(change.key, 'n')
          break
        }
      }
      assert.equal((await memory.stats()).watchers, watchers)
    })

    test('can be read by several at once', async (t) => {
      const memory = await open(t)
      const watch = memory.watch('many')
      const reading = Promise.all([watch.next(), watch.next(), watch.next()])
      for (let i = 1; i <= 3; i++) await memory.set('many', i)
      assert.deepEqual(
        (await reading).map(({ value }) => value.value),
        [1, 2, 3],
      )
      const last = watch.next()
      await watch.return()
      assert.deepEqual(await last, { done: true, value: undefined })
    })
  })
}

for (const { name, open } of places) {
  test(`a value that cannot be read ends the watch, in a memory ${name}`, async (t) => {
    const memory = await open(t)
    const watch = memory.watch('module')
    const reading = watch.next()
    // V8 writes it, and reads it only with help.
    const module = new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0))
    await memory.set('module', [module])
    const unreadable = { code: 'ERR_NC_INVALID_VALUE' }
    await assert.rejects(reading, unreadable)
    assert.deepEqual(await watch.next(), { done: true, value: undefined })
    await assert.rejects(memory.get('module'), unreadable)
    assert.equal(await memory.has('module'), true)
    assert.equal(await memory.delete('module'), true)
  })
}
