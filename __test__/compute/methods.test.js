'use strict'

// Every method, in worker threads, with every kind of function and of items.

const assert = require('node:assert/strict')
const { after, before, test } = require('node:test')
const { SharedMemoryClass } = require('../../lib/memory')
const { LocalManager, numbers } = require('./support.js')

/** @type {LocalManager} */
let manager
/** @type {any} */
let Iterator
/** @type {any} */
let memory

before(async () => {
  manager = new LocalManager({ threads: 2 })
  Iterator = manager.Iterator
  memory = new SharedMemoryClass()
  await memory.set({ two: 2, three: 3 })
})
after(async () => {
  await manager.close()
  memory.close()
})

/** A loop makes a function too long to run inline. */
const FUNCTIONS = {
  sync: {
    map: (x) => {
      for (;;) return x * 2
    },
    filter: (x) => {
      for (;;) return x % 3 === 0
    },
    flatMap: (x) => {
      for (;;) return x % 2 ? [x, -x] : []
    },
    reduce: (a, b) => {
      for (;;) return a + b
    },
  },
  async: {
    map: async (x) => {
      await Promise.resolve()
      for (;;) return x * 2
    },
    filter: async (x) => {
      await Promise.resolve()
      for (;;) return x % 3 === 0
    },
    flatMap: async (x) => {
      await Promise.resolve()
      for (;;) return x % 2 ? [x, -x] : []
    },
    reduce: async (a, b) => {
      await Promise.resolve()
      for (;;) return a + b
    },
  },
  specialised: {
    map: async (x, scope) => {
      for (;;) return x * (await scope.get('two'))
    },
    filter: async (x, scope) => {
      for (;;) return x % (await scope.get('three')) === 0
    },
    flatMap: async (x, scope) => {
      for (;;) return x % (await scope.get('two')) ? [x, -x] : []
    },
    reduce: async (a, b, scope) => {
      for (;;) return (a * (await scope.get('two')) + b * (await scope.get('two'))) / 2
    },
  },
  scoped: {
    map: async (x, scope) => {
      const key = ['two', 'three'][0]
      return x * (await scope.get(key))
    },
    filter: async (x, scope) => {
      const { three } = await scope.getMany(['two', 'three'])
      return x % three === 0
    },
    flatMap: (x, scope) => scope.get(['two'][0]).then((two) => (x % two ? [x, -x] : [])),
    reduce: async (a, b, scope) => {
      const key = ['two', 'three'][0]
      return (a * (await scope.get(key)) + b * (await scope.get(key))) / 2
    },
  },
}

const COUNT = 500

async function* later(items) {
  for (const item of items) yield item
}

async function all(source) {
  const items = []
  for await (const item of source) items.push(item)
  return items
}

/** @type {[string, (items: number[]) => any][]} */
const SOURCES = [
  ['a list', (items) => items],
  ['a generator', (items) => items.values()],
  ['an async generator', later],
]

for (const [kind, functions] of Object.entries(FUNCTIONS)) {
  for (const [name, source] of SOURCES) {
    test(`${kind} functions over ${name}`, async () => {
      const items = numbers(COUNT)
      const make = () => new Iterator(source(items)).useScope(memory)
      assert.deepEqual(
        await make().map(functions.map),
        items.map((x) => x * 2),
      )
      assert.deepEqual(
        await make().filter(functions.filter),
        items.filter((x) => x % 3 === 0),
      )
      assert.deepEqual(
        await make().flatMap(functions.flatMap),
        items.flatMap((x) => (x % 2 ? [x, -x] : [])),
      )
      assert.equal(await make().forEach(functions.map), undefined)
      assert.equal(await make().reduce(functions.reduce), 124_750)
      assert.equal(await make().reduce(functions.reduce, { initial: 250 }), 125_000)
      assert.deepEqual(
        await all(make().stream(functions.map)),
        items.map((x) => x * 2),
      )
    })
  }
}

test('scopes with the newest values', async () => {
  const scoped = new Iterator(numbers(50)).useScope(memory)
  const results = await scoped.map(FUNCTIONS.specialised.map, { reads: 'latest' })
  assert.deepEqual(
    results,
    numbers(50).map((x) => x * 2),
  )
})

test('what functions write to their scope is there', async () => {
  await new Iterator(numbers(100)).useScope(memory).forEach(async (x, scope) => {
    await scope.increment('sum', x)
  })
  assert.equal(await memory.get('sum'), 4950)
})

test('items and results of every type that can be cloned', async () => {
  const items = [
    undefined,
    null,
    -0,
    NaN,
    'é🙂',
    10n,
    new Date(5),
    /x/g,
    new Map([[{ a: 1 }, new Set([1])]]),
    new Uint8Array([1, 2]),
    new Float32Array([1.5]),
    [1, [2, { three: 3 }]],
    new RangeError('r'),
  ]
  const same = (x) => {
    for (;;) return x
  }
  assert.deepEqual(await new Iterator(items).map(same), items)
  assert.deepEqual(await all(new Iterator(items).stream(same)), items)
  assert.ok(Object.is((await new Iterator([-0]).map(same))[0], -0))
})

test('nothing', async () => {
  const { map, filter, flatMap, reduce } = FUNCTIONS.sync
  for (const [, source] of SOURCES) {
    const make = () => new Iterator(source([]))
    assert.deepEqual(await make().map(map), [])
    assert.deepEqual(await make().filter(filter), [])
    assert.deepEqual(await make().flatMap(flatMap), [])
    assert.equal(await make().forEach(map), undefined)
    assert.equal(await make().reduce(reduce, { initial: 3 }), 3)
    assert.deepEqual(await all(make().stream(map)), [])
    await assert.rejects(make().reduce(reduce), { code: 'ERR_NC_INVALID_ARG' })
  }
})

test('what is missing in a sparse array is undefined', async () => {
  // oxlint-disable-next-line no-sparse-arrays
  const sparse = new Iterator([1, , 'three'])
  const types = await sparse.map((x) => {
    for (;;) return typeof x
  })
  assert.deepEqual(types, ['number', 'undefined', 'string'])
})

test('a filter gives the items themselves', async () => {
  const items = numbers(300).map((x) => ({ x }))
  const chosen = await new Iterator(items).filter((item) => {
    for (;;) return item.x % 100 === 0
  })
  assert.deepEqual(chosen, [items[0], items[100], items[200]])
  for (const [i, item] of chosen.entries()) assert.equal(item, items[i * 100])
})

test('parts of text are put together in their order', async () => {
  const text = numbers(2000).map((x) => `${x} `)
  const joined = await new Iterator(text).reduce((a, b) => {
    for (;;) return a + b
  })
  assert.equal(joined, text.join(''))
})

test('more numbers than one block has', async () => {
  const count = (1 << 20) + 5
  const results = await new Iterator(new Float64Array(count).fill(3)).map((x) => {
    for (;;) return x + 1
  })
  assert.equal(results.length, count)
  assert.ok(results.every((x) => x === 4))
})

test('typed arrays of every kind are lists of numbers, or of bigints', async () => {
  const same = (x) => {
    for (;;) return x
  }
  for (const Class of [Uint8Array, Int32Array, Float32Array, Float64Array]) {
    assert.deepEqual(await new Iterator(new Class([1, 2, 3])).map(same), [1, 2, 3])
  }
  assert.deepEqual(await new Iterator(new BigInt64Array([1n, -2n])).map(same), [1n, -2n])
  const shared = new Float64Array(new SharedArrayBuffer(16)).fill(4)
  assert.deepEqual(await new Iterator(shared).map(same), [4, 4])
})

test('many objects', async () => {
  const items = numbers(50_000).map((x) => ({ x }))
  const results = await new Iterator(items).map((item) => {
    for (;;) return { y: item.x }
  })
  assert.deepEqual(
    results,
    items.map(({ x }) => ({ y: x })),
  )
})

test('chunks of the size that was asked for', async () => {
  const items = numbers(100)
  const each = async (x, _scope, ctx) => `${ctx.workerId} ${x}`
  for (const source of [items, items.map(String), items.values()]) {
    const results = await new Iterator(source).map(each, { chunkSize: 7 })
    assert.equal(results.length, 100)
  }
})

test('what a function is told of its item', async () => {
  const contexts = await new Iterator(['a', 'b']).map((_item, _scope, ctx) => {
    const { index, attempt, workerId, signal } = ctx
    return { index, attempt, worker: workerId.startsWith('worker'), aborted: signal.aborted }
  })
  assert.deepEqual(contexts, [
    { index: 0, attempt: 1, worker: true, aborted: false },
    { index: 1, attempt: 1, worker: true, aborted: false },
  ])
})

test('in any order: what is done first comes first', async () => {
  const slowest = async (x) => {
    if (x > 0) await new Promise((resolve) => setTimeout(resolve, 500))
    return x
  }
  const results = await new Iterator([9, 0]).map(slowest, { ordered: false, chunkSize: 1 })
  assert.deepEqual(results, [0, 9])
})

test('in any order: the same results', async () => {
  const items = numbers(200)
  const results = await new Iterator(items).map(FUNCTIONS.async.map, {
    ordered: false,
    chunkSize: 3,
  })
  assert.deepEqual(
    results.sort((a, b) => a - b),
    items.map((x) => x * 2),
  )
})

test('items of the same key run in the same worker', async () => {
  const items = numbers(200).map((x) => ({ key: `key ${x % 7}` }))
  const results = await new Iterator(items).map(
    (item, _scope, ctx) => {
      for (;;) return [item.key, ctx.workerId]
    },
    { partitionBy: (item) => item.key },
  )
  const workers = new Map(results)
  for (const [key, worker] of results) assert.equal(workers.get(key), worker)
  await assert.rejects(new Iterator([1]).map(FUNCTIONS.sync.map, { partitionBy: () => 5 }), {
    code: 'ERR_NC_INVALID_ARG',
    message: /partitionBy must give a string/,
  })
})

test('buffers that are given away are gone', async () => {
  const buffer = new Uint8Array([1, 2, 3]).buffer
  const [sum] = await new Iterator([{ buffer }]).map(
    (item) => {
      let sum = 0
      for (const byte of new Uint8Array(item.buffer)) sum += byte
      return sum
    },
    { transfer: (item) => [item.buffer] },
  )
  assert.equal(sum, 6)
  assert.equal(buffer.byteLength, 0)
})

test('progress is told: items done, and what functions say', async () => {
  /** @type {any[]} */
  const seen = []
  await new Iterator(numbers(100)).map(
    (x, _scope, ctx) => {
      if (x === 50) ctx.progress({ half: true })
      return x
    },
    { onProgress: (progress) => seen.push(progress) },
  )
  assert.deepEqual(
    seen.filter(({ value }) => value !== undefined).map(({ value }) => value),
    [{ half: true }],
  )
  assert.deepEqual(seen.filter(({ value }) => value === undefined).at(-1), {
    done: 100,
    total: 100,
    value: undefined,
  })
})

test('a function as text, TypeScript too', async () => {
  const text = '(x: number, scope) => { for (;;) return x * (await scope.get("two")) }'
  assert.deepEqual(await new Iterator([1, 2]).useScope(memory).map(text), [2, 4])
})

test('an item of an async function is under way alone where concurrency is 1', async () => {
  const most = await new Iterator(numbers(20)).map(
    async () => {
      const state = (globalThis.state ??= { now: 0, most: 0 })
      state.most = Math.max(state.most, ++state.now)
      await new Promise((resolve) => setImmediate(resolve))
      state.now--
      return state.most
    },
    { concurrency: 1, globals: ['state'] },
  )
  assert.equal(Math.max(...most), 1)
})
