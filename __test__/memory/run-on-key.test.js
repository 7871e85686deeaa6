'use strict'

const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { SharedMemoryClass } = require('../../lib/memory')
const { hasTurn, inTurn } = require('../../lib/memory/turns.js')
const { places, here, elsewhere } = require('./support/places.js')

for (const { name, open } of places) {
  describe(`a function on a key of a memory ${name}`, () => {
    test('reads, changes and deletes the value', async (t) => {
      const memory = await open(t)
      const add = (entry, n) => {
        entry.value = (entry.value ?? 0) + n
        return [entry.key, entry.value]
      }
      assert.deepEqual(await memory.runOnKey('r', add, 5), ['r', 5])
      assert.deepEqual(await memory.runOnKey('r', add, 1.5), ['r', 6.5])
      assert.equal(await memory.get('r'), 6.5)
      assert.equal(await memory.runOnKey('r', '(entry) => { entry.value = undefined }'), undefined)
      assert.equal(await memory.has('r'), false)
      assert.equal(await memory.runOnKey('r', (entry) => entry.value), undefined)
      assert.equal(await memory.has('r'), false)
    })

    test('may be asynchronous, and change an object in place', async (t) => {
      const memory = await open(t)
      await memory.set('list', { items: [1] })
      const result = await memory.runOnKey(
        'list',
        async (entry, item) => {
          await new Promise((resolve) => setTimeout(resolve, 1))
          entry.value.items.push(item)
          return entry.value
        },
        new Date(0),
      )
      assert.deepEqual(result, { items: [1, new Date(0)] })
      assert.deepEqual(await memory.get('list'), result)
      await memory.set('bytes', Uint8Array.of(1))
      await memory.runOnKey('bytes', (entry) => void entry.value.fill(7))
      assert.deepEqual(await memory.get('bytes'), Uint8Array.of(7))
    })

    test('that changes nothing leaves the version, and what changes keeps the end', async (t) => {
      const memory = await open(t)
      for (const value of [1, 'x', { a: 1 }, new Map([[1, 2]]), Uint8Array.of(1)]) {
        const version = await memory.set('same', value)
        assert.deepEqual(await memory.runOnKey('same', (entry) => entry.value), value)
        assert.equal((await memory.getEntry('same')).version, version)
      }
      await memory.set('same', 1, { ttl: 60_000 })
      await memory.runOnKey('same', (entry) => void entry.value++)
      const { value, expiresAt } = await memory.getEntry('same')
      assert.equal(value, 2)
      assert.ok(expiresAt > Date.now() + 50_000)
    })

    test('has its turn alone, and runs again if others set the key', async (t) => {
      const memory = await open(t)
      const count = async (entry) => {
        const { value = 0 } = entry
        await new Promise((resolve) => setImmediate(resolve))
        entry.value = value + 1
      }
      await Promise.all(Array.from({ length: 50 }, () => memory.runOnKey('turns', count)))
      assert.equal(await memory.get('turns'), 50)
      const all = Array.from({ length: 20 }, () => [
        memory.runOnKey('turns', count),
        memory.increment('turns'),
      ])
      await Promise.all(all.flat())
      assert.equal(await memory.get('turns'), 90)
    })

    test('rejects with what it throws, and writes nothing', async (t) => {
      const memory = await open(t)
      await memory.set('throws', 1)
      const fail = (entry, kind) => {
        entry.value = 2
        if (kind === 'text') throw 'text'
        class Mine extends RangeError {
          name = 'Mine'
          code = 'E_MINE'
          details = { list: [1], fn: 1 }
        }
        throw new Mine('because', { cause: new TypeError('deep') })
      }
      await assert.rejects(memory.runOnKey('throws', fail), (error) => {
        assert.ok(error instanceof Error)
        const { name, message, code, details, cause } = error
        assert.deepEqual(
          { name, message, code, details },
          { name: 'Mine', message: 'because', code: 'E_MINE', details: { list: [1], fn: 1 } },
        )
        assert.ok(cause instanceof TypeError)
        assert.match(error.stack, /because/)
        return true
      })
      await assert.rejects(memory.runOnKey('throws', fail, 'text'), (thrown) => thrown === 'text')
      assert.equal(await memory.get('throws'), 1)
    })

    test('shares neither arguments nor result', async (t) => {
      const memory = await open(t)
      const argument = { list: [1] }
      const result = await memory.runOnKey(
        'copy',
        (entry, given) => {
          given.list.push(2)
          entry.value = given
          return given
        },
        argument,
      )
      assert.deepEqual(argument, { list: [1] })
      result.list.push(3)
      assert.deepEqual(await memory.get('copy'), { list: [1, 2] })
    })
  })
}

test('a function that waits for its own turn is refused', async (t) => {
  const memory = await here(t)
  globalThis.memoryOfTheTest = memory
  t.after(() => delete globalThis.memoryOfTheTest)
  const text = (key) => `(entry) => globalThis.memoryOfTheTest.runOnKey('${key}', () => 1)`
  await assert.rejects(memory.runOnKey('self', text('self')), { code: 'ERR_NC_CONFLICT' })
  assert.equal(await memory.runOnKey('self', text('other')), 1)
})

test('functions are not sent without a token', async (t) => {
  const { child, freeUrl } = require('./support/crew.js')
  const url = await freeUrl()
  const owner = await child({ url })
  t.after(() => owner.end())
  const memory = new SharedMemoryClass(url, { host: 'never' })
  t.after(() => memory.close())
  await memory.set('a', 1)
  await assert.rejects(
    memory.runOnKey('a', () => 1),
    { code: 'ERR_NC_CODE_REFUSED' },
  )
  assert.equal(await memory.get('a'), 1)
})

test('who has another token is not let in', async (t) => {
  const memory = await elsewhere(t)
  for (const token of ['another', undefined]) {
    const other = new SharedMemoryClass(memory.url, { host: 'never', token })
    await assert.rejects(other.ready, { code: 'ERR_NC_CONNECT' })
    await assert.rejects(other.get('a'), { code: 'ERR_NC_CONNECT' })
    await other.close()
  }
})

test('what was begun in a turn has it no longer than that', async () => {
  const backend = { lock: async () => '0000000000000001', unlock: async () => true }
  let later
  const over = new Promise((resolve) => (later = resolve))
  let begun
  await inTurn(backend, 'm', 'k', () => {
    assert.equal(hasTurn('m', 'k'), true)
    begun = over.then(() => hasTurn('m', 'k'))
  })
  later()
  assert.equal(await begun, false)
})
