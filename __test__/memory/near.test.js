'use strict'

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { Worker } = require('node:worker_threads')
const { once } = require('node:events')
const { here } = require('./support/places.js')
const { crew, thread } = require('./support/crew.js')

/** Often enough that a value that is kept near is read from there. */
async function read(memory, key) {
  for (let i = 0; i < 3; i++) await memory.get(key)
  return memory.get(key)
}

test('objects that are kept near are frozen, and the same ones', async (t) => {
  const memory = await here(t, { nearCache: true })
  await memory.set('object', { list: [{ a: 1 }] })
  const first = await read(memory, 'object')
  assert.ok(Object.isFrozen(first) && Object.isFrozen(first.list) && Object.isFrozen(first.list[0]))
  assert.equal(await memory.get('object'), first)
  assert.equal(memory.getSync('object'), first)
  await memory.set('object', { list: [] })
  assert.deepEqual(await read(memory, 'object'), { list: [] })
  // What cannot be frozen is read each time.
  await memory.set('map', { map: new Map([[1, 2]]) })
  const map = await read(memory, 'map')
  assert.notEqual(await memory.get('map'), map)
  assert.equal(Object.isFrozen(map), false)
  await memory.set('bytes', Uint8Array.of(1))
  ;(await read(memory, 'bytes'))[0] = 9
  assert.deepEqual(await memory.get('bytes'), Uint8Array.of(1))
})

test('objects are not kept near unless that was asked for', async (t) => {
  for (const nearCache of [undefined, false]) {
    const memory = await here(t, nearCache === undefined ? {} : { nearCache })
    await memory.set('object', { list: [] })
    const value = await read(memory, 'object')
    value.list.push(1)
    assert.deepEqual(await memory.get('object'), { list: [] })
  }
})

test('every change of a key is seen, whoever makes it and however', async (t) => {
  const memory = await here(t)
  const [other] = await crew(t, 1, () => thread())
  const key = 'seen'
  const changes = [
    () => memory.set(key, 1),
    () => other.run('set', { key, value: 'x' }),
    () => memory.increment('seen other'),
    () => memory.delete(key),
    () => other.run('set', { key, value: null }),
    () => memory.set({ [key]: 5, other: 1 }),
    () => memory.increment(key, 2),
    () => memory.compareAndSet(key, '0'.repeat(16), 9),
    () => memory.transaction((tx) => tx.set(key, true)),
    () => memory.update(key, () => 'new'),
    () => other.run('count', { key: 'seen count', times: 10 }),
    () => memory.set(key, 1, { ttl: 60_000 }),
    () => memory.set(key, 2),
  ]
  const states = [1, 'x', 'x', undefined, null, 5, 7, 7, true, 'new', 'new', 1, 2]
  for (const [i, change] of changes.entries()) {
    await change()
    assert.equal(memory.getSync(key), states[i], `after change ${i}`)
    assert.equal(await read(memory, key), states[i], `after change ${i}`)
    assert.equal(await other.run('get', { key }), states[i], `after change ${i}`)
  }
})

test('what ends is not kept near, but for what it was before', async (t) => {
  const memory = await here(t)
  const watch = memory.watch('ends')
  await memory.set('ends', 1)
  assert.equal(await read(memory, 'ends'), 1)
  const end = Date.now() + 30
  await memory.set('ends', 2, { ttl: 30 })
  const value = await read(memory, 'ends')
  // A machine that is busy may come too late to read it.
  assert.ok(value === 2 || (value === undefined && Date.now() >= end), `read ${value}`)
  for (const type of ['set', 'set', 'expire']) assert.equal((await watch.next()).value.type, type)
  assert.equal(memory.getSync('ends'), undefined)
  await watch.return()
})

test('no more values are kept near than were allowed', async (t) => {
  const memory = await here(t, { nearCache: { maxEntries: 10 } })
  for (let i = 0; i < 1000; i++) memory.setSync(`bound ${i}`, { i })
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 1000; i++) assert.deepEqual(memory.getSync(`bound ${i}`), { i })
  }
  memory.setSync('bound 999', { i: -1 })
  assert.deepEqual(memory.getSync('bound 999'), { i: -1 })
})

/** Reads until the value is another one, in a loop that V8 optimises as far as it can. */
function spins() {
  const { parentPort, workerData } = require('node:worker_threads')
  const { SharedMemoryClass } = require(workerData.lib)
  const { kind, key } = workerData
  const memory = new SharedMemoryClass()
  for (let i = 0; i < 1e5; i++) memory.getSync(key)
  parentPort.postMessage('spins')
  if (kind === 'number') while (memory.getSync(key) !== 1);
  else if (kind === 'string') while (memory.getSync(key) !== 'one');
  else while (memory.getSync(key) === undefined);
  parentPort.postMessage('done')
}

test(
  'a loop that reads one key sees that another thread sets it',
  { timeout: 60_000 },
  async (t) => {
    const memory = await here(t)
    const lib = require.resolve('../../lib/memory')
    for (const [kind, before, after] of [
      ['number', 0, 1],
      ['string', 'zero', 'one'],
      ['missing', undefined, 1],
    ]) {
      const key = `spins ${kind}`
      if (before !== undefined) memory.setSync(key, before)
      const workerData = { lib, kind, key }
      const worker = new Worker(`(${spins})()`, { eval: true, workerData })
      t.after(() => worker.terminate())
      await once(worker, 'message')
      // Long enough for the loop to be compiled while it runs.
      await new Promise((resolve) => setTimeout(resolve, 100))
      memory.setSync(key, after)
      assert.deepEqual(await once(worker, 'message'), ['done'])
      memory.setSync(key, before ?? null)
      await memory.delete(key)
    }
  },
)
