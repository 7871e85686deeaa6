'use strict'

// Short functions run on the calling thread, and nobody can tell by the results.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { IteratorClass } = require('../../lib/compute/iterator.js')
const { SharedMemoryClass } = require('../../lib/memory')
const { numbers } = require('./support.js')

/** Without workers. */
const Iterator = new IteratorClass({
  _compute() {
    throw new Error('this was to run inline')
  },
})

const ITEMS = numbers(1000)

async function* later(items) {
  for (const item of items) yield item
}

/** @type {[string, () => any][]} */
const SOURCES = [
  ['an array', () => ITEMS],
  ['a Float64Array', () => Float64Array.from(ITEMS)],
  ['an Int16Array', () => Int16Array.from(ITEMS)],
  ['a Set', () => new Set(ITEMS)],
  ['a generator', () => ITEMS.values()],
  ['an async generator', () => later(ITEMS)],
]

for (const [name, source] of SOURCES) {
  test(`every method over ${name}`, async () => {
    const make = () => new Iterator(/** @type {Iterable<number>} */ (source()))
    assert.deepEqual(
      await make().map((x) => x * 2),
      ITEMS.map((x) => x * 2),
    )
    assert.deepEqual(
      await make().filter((x) => x % 3 === 0),
      ITEMS.filter((x) => x % 3 === 0),
    )
    assert.deepEqual(
      await make().flatMap((x) => [x, -x]),
      ITEMS.flatMap((x) => [x, -x]),
    )
    assert.equal(await make().forEach((x) => x), undefined)
    assert.equal(await make().reduce((a, b) => a + b), 499_500)
    assert.equal(await make().reduce((a, b) => a + b, { initial: 500 }), 500_000)
    assert.deepEqual(
      (await Array.fromAsync?.(make().stream((x) => x + 1))) ??
        (await all(make().stream((x) => x + 1))),
      ITEMS.map((x) => x + 1),
    )
    assert.deepEqual(await all(make()), ITEMS)
  })
}

async function all(source) {
  const items = []
  for await (const item of source) items.push(item)
  return items
}

test('nothing', async () => {
  const empty = new Iterator([])
  assert.deepEqual(await empty.map((x) => x), [])
  assert.deepEqual(await empty.filter((x) => x), [])
  assert.deepEqual(await empty.flatMap((x) => x), [])
  assert.equal(await empty.forEach((x) => x), undefined)
  assert.deepEqual(await all(empty.stream((x) => x)), [])
  assert.equal(await empty.reduce((a, b) => a + b, { initial: 7 }), 7)
  await assert.rejects(
    empty.reduce((a, b) => a + b),
    { code: 'ERR_NC_INVALID_ARG', message: /initial/ },
  )
})

test('what is missing in a sparse array is undefined', async () => {
  // oxlint-disable-next-line no-sparse-arrays
  const sparse = new Iterator([1, , 3])
  assert.deepEqual(await sparse.map((x) => x), [1, undefined, 3])
  assert.deepEqual(await sparse.filter((x) => x === undefined), [undefined])
})

test('one item is reduced to itself', async () => {
  assert.equal(await new Iterator([5]).reduce((a, b) => a + b), 5)
})

test('results share nothing with the items', async () => {
  const items = [{ deep: { a: 1 } }]
  const [result] = await new Iterator(items).map((item) => item.deep)
  assert.deepEqual(result, { a: 1 })
  assert.notEqual(result, items[0].deep)
  const [chosen] = await new Iterator(items).filter((item) => item.deep)
  assert.equal(chosen, items[0])
})

test('many objects, in blocks', async () => {
  const items = numbers(5000).map((x) => ({ x }))
  const objects = new Iterator(items)
  assert.deepEqual(await objects.map((item) => item.x), numbers(5000))
  const chosen = await objects.filter((item) => item.x % 1000 === 0)
  assert.deepEqual(
    chosen.map((item) => items.indexOf(item)),
    [0, 1000, 2000, 3000, 4000],
  )
  const sum = await objects.reduce((a, b) => ({ x: a.x + b.x }))
  assert.deepEqual(sum, { x: 12_497_500 })
})

test('objects are what a worker would get: without methods and getters of their class', async () => {
  class Point {
    constructor() {
      this.x = 1
    }
    get double() {
      return this.x * 2
    }
  }
  assert.deepEqual(await new Iterator([new Point()]).map((p) => [p.x, p.double]), [[1, undefined]])
})

test('items and results that cannot be sent are refused as if they were sent', async () => {
  await assert.rejects(
    new Iterator([1, { list: [() => {}] }]).map((x) => x),
    {
      code: 'ERR_NC_INVALID_VALUE',
      message: 'item 1 cannot be sent: value.list[0] is a function, which cannot be stored',
    },
  )
  await assert.rejects(
    new Iterator([1, 2]).map((x) => (x === 2 ? { m: Math.abs } : x)),
    {
      code: 'ERR_NC_UNSERIALIZABLE_RESULT',
      itemIndex: 1,
      message: /item 1 cannot be sent: value\.m is a function/,
    },
  )
})

test('a function that throws fails with the index, and what it threw', async () => {
  const items = [{ a: { b: 1 } }, { a: null }]
  const error = await new Iterator(items).map((x) => x.a.b).catch((reason) => reason)
  assert.equal(error.name, 'TaskError')
  assert.equal(error.code, 'ERR_NC_TASK_FAILED')
  assert.equal(error.itemIndex, 1)
  assert.equal(error.workerId, 'inline')
  assert.equal(error.attempts, 1)
  assert.ok(error.cause instanceof TypeError)
  const indexed = await new Iterator(items)
    .reduce((a, b) => b.a.b + a, { initial: 0 })
    .catch((e) => e)
  assert.equal(indexed.itemIndex, 1)
})

test('errors are collected', async () => {
  const items = [{ a: { b: 1 } }, { a: null }, { a: { b: 3 } }, { a: null }]
  const error = await new Iterator(items)
    .map((x) => x.a.b, { onError: 'collect' })
    .catch((reason) => reason)
  assert.ok(error instanceof AggregateError)
  assert.deepEqual(
    error.errors.map((each) => each.itemIndex),
    [1, 3],
  )
  assert.deepEqual(error.results, [1, undefined, 3, undefined])
  const seen = []
  const stream = new Iterator(items).stream((x) => x.a.b, { onError: 'collect' })
  await assert.rejects(async () => {
    for await (const value of stream) seen.push(value)
  }, AggregateError)
  assert.deepEqual(seen, [1, 3])
})

test('a scope is read on the calling thread', async (t) => {
  const memory = new SharedMemoryClass()
  t.after(() => memory.close())
  await memory.set({ factor: 10, object: { list: [1] } })
  const scoped = new Iterator([1, 2, 3]).useScope(memory)
  assert.deepEqual(
    await scoped.map(async (x, scope) => x * (await scope.get('factor'))),
    [10, 20, 30],
  )
  const objects = await scoped.map(async (_x, scope) => await scope.get('object'))
  assert.deepEqual(objects[0], { list: [1] })
  assert.notEqual(objects[0], objects[1])
  objects[0].list.push(2)
  assert.deepEqual(await memory.get('object'), { list: [1] })
})

test('a source that fails fails the work, one that is not read to its end is told', async () => {
  let told = 0
  function* failing() {
    yield 1
    throw new RangeError('no more')
  }
  function* endless() {
    try {
      for (let i = 0; ; i++) yield i
    } finally {
      told++
    }
  }
  async function* endlessLater() {
    yield* endless()
  }
  await assert.rejects(
    new Iterator(failing()).map((x) => x),
    RangeError,
  )
  for (const source of [endless, endlessLater]) {
    for await (const value of new Iterator(source()).stream((x) => x * 2)) if (value > 5) break
  }
  assert.equal(told, 2)
})

test('a stream pulls what is read, and no more', async () => {
  let pulled = 0
  async function* source() {
    for (;;) yield pulled++
  }
  const stream = new Iterator(source()).stream((x) => x)
  assert.equal(pulled, 0)
  await stream.next()
  await stream.next()
  assert.equal(pulled, 2)
  await stream.return?.()
})

test('work on a source that waits can be aborted', async () => {
  const controller = new AbortController()
  let told = false
  const source = {
    [Symbol.asyncIterator]: () => ({
      next: () => {
        setImmediate(() => controller.abort('enough'))
        return new Promise(() => {})
      },
      return: async () => {
        told = true
        return { value: undefined, done: true }
      },
    }),
  }
  const aborted = new Iterator(/** @type {any} */ (source)).map((x) => x, {
    signal: controller.signal,
  })
  await assert.rejects(aborted, { name: 'AbortError', cause: 'enough' })
  assert.ok(told)
})
