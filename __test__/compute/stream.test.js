'use strict'

const assert = require('node:assert/strict')
const { after, before, test } = require('node:test')
const { LocalManager, numbers } = require('./support.js')

const WORKERS = 2

/** @type {LocalManager} */
let manager
/** @type {any} */
let Iterator

before(() => {
  manager = new LocalManager({ local: WORKERS })
  Iterator = manager.Iterator
})
after(() => manager.close())

const long = (x) => {
  for (;;) return x * 2
}

async function all(source) {
  const items = []
  for await (const item of source) items.push(item)
  return items
}

/** Items without end, and what became of them. */
function endless() {
  const seen = { pulled: 0, told: false }
  async function* source() {
    try {
      for (;;) yield seen.pulled++
    } finally {
      seen.told = true
    }
  }
  return { seen, source: source() }
}

test('nothing is pulled before somebody reads', () => {
  const { seen, source } = endless()
  new Iterator(source).stream(long)
  assert.equal(seen.pulled, 0)
  const untouched = { [Symbol.iterator]: () => assert.fail('it was asked for its iterator') }
  for (const fn of [long, (x) => x]) new Iterator(untouched).stream(fn)
})

test('what is no source after all', async () => {
  const source = { [Symbol.iterator]: () => 5 }
  for (const fn of [long, (x) => x]) {
    await assert.rejects(new Iterator(source).map(fn), {
      name: 'TypeError',
      message: /is not an object/,
    })
  }
})

test('results in order, whoever is done first', async () => {
  const items = numbers(60)
  const results = await all(
    new Iterator(items.values()).stream(async (x) => {
      const turns = x % 7
      for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve))
      return x
    }),
  )
  assert.deepEqual(results, items)
})

test('in any order: the same results', async () => {
  const items = numbers(300)
  const results = await all(new Iterator(items.values()).stream(long, { ordered: false }))
  assert.deepEqual(
    results.sort((a, b) => a - b),
    items.map((x) => x * 2),
  )
})

test('a slow reader is not pulled ahead of', async () => {
  const { seen, source } = endless()
  const stream = new Iterator(source).stream(long, { chunkSize: 3 })
  for (let i = 0; i < 20; i++) {
    const { value } = await stream.next()
    assert.equal(value, i * 2)
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
    // Two chunks for each worker, beyond what was read.
    assert.ok(
      seen.pulled <= i + 1 + 2 * WORKERS * 3,
      `pulled ${seen.pulled} after reading ${i + 1}`,
    )
  }
  await stream.return()
})

test('of a list no more is done than is read, too', async () => {
  globalThis.ran = 0
  const stream = new Iterator(numbers(1000)).stream(
    (x) => {
      globalThis.ran++
      return x
    },
    { chunkSize: 3 },
  )
  for (let i = 0; i < 20; i++) {
    assert.equal((await stream.next()).value, i)
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
    assert.ok(globalThis.ran <= i + 1 + 2 * WORKERS * 3, `${globalThis.ran} after reading ${i + 1}`)
  }
  await stream.return()
  delete globalThis.ran
})

test('a reader that stops ends the work and tells the source', async () => {
  const { seen, source } = endless()
  for await (const value of new Iterator(source).stream(long)) if (value === 20) break
  assert.ok(seen.told)
  assert.equal(manager._compute().jobs.size, 0)
})

test('return() while next() waits', async () => {
  const never = { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) }
  const stream = new Iterator(never).stream(long)
  const waiting = stream.next()
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(await stream.return('bye'), { value: 'bye', done: true })
  assert.deepEqual(await waiting, { value: undefined, done: true })
  assert.deepEqual(await stream.next(), { value: undefined, done: true })
  assert.equal(manager._compute().jobs.size, 0)
})

test('return() before next(): nothing begins', async () => {
  const { seen, source } = endless()
  const stream = new Iterator(source).stream(long)
  await stream.return()
  assert.deepEqual(await stream.next(), { value: undefined, done: true })
  assert.equal(seen.pulled, 0)
})

test('throw() ends it', async () => {
  const { seen, source } = endless()
  const stream = new Iterator(source).stream(long)
  await stream.next()
  await assert.rejects(stream.throw(new RangeError('mine')), RangeError)
  assert.ok(seen.told)
  assert.deepEqual(await stream.next(), { value: undefined, done: true })
})

test('several reads at once get different results', async () => {
  const stream = new Iterator(numbers(5)).stream(long)
  const reads = await Promise.all(Array.from({ length: 7 }, () => stream.next()))
  assert.deepEqual(
    reads.map(({ value }) => value),
    [0, 2, 4, 6, 8, undefined, undefined],
  )
})

test('an error comes behind the results before it, and only once', async () => {
  const stream = new Iterator(numbers(10)).stream(
    (x) => {
      if (x === 4) throw new Error('no 4')
      return x
    },
    { chunkSize: 1, concurrency: 1 },
  )
  const seen = []
  await assert.rejects(
    async () => {
      for await (const value of stream) seen.push(value)
    },
    { itemIndex: 4 },
  )
  assert.deepEqual(seen, [0, 1, 2, 3])
  assert.deepEqual(await stream.next(), { value: undefined, done: true })
})

test('a source that throws', async () => {
  async function* failing() {
    yield 1
    throw new RangeError('no more')
  }
  await assert.rejects(all(new Iterator(failing()).stream(long)), RangeError)
})

test('errors are collected until the end', async () => {
  const stream = new Iterator(numbers(20).values()).stream(
    (x) => {
      if (x % 10 === 4) throw new Error('no')
      return x
    },
    { onError: 'collect' },
  )
  const seen = []
  const error = await (async () => {
    for await (const value of stream) seen.push(value)
  })().then(
    () => assert.fail('it did not fail'),
    (reason) => reason,
  )
  assert.deepEqual(
    seen,
    numbers(20).filter((x) => x % 10 !== 4),
  )
  assert.deepEqual(
    error.errors.map(({ itemIndex }) => itemIndex),
    [4, 14],
  )
})

test('aborted while somebody reads', async () => {
  const controller = new AbortController()
  const { seen, source } = endless()
  const stream = new Iterator(source).stream(long, { signal: controller.signal })
  const read = async () => {
    for await (const value of stream) if (value === 10) controller.abort('enough')
  }
  await assert.rejects(read(), { name: 'AbortError', cause: 'enough' })
  assert.ok(seen.told)
})
