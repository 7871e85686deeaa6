'use strict'

const assert = require('node:assert/strict')
const { after, before, test } = require('node:test')
const { LocalManager, numbers, pause } = require('./support.js')

/** @type {LocalManager} */
let manager
/** @type {any} */
let Iterator

before(() => {
  manager = new LocalManager({ local: 2 })
  Iterator = manager.Iterator
})
after(() => manager.close())

/** @param {Promise<unknown>} work */
const failure = (work) =>
  work.then(
    () => assert.fail('it did not fail'),
    (reason) => reason,
  )

test('what reduce() begins with is named if it cannot be sent', async () => {
  const endless = (a, b) => {
    for (;;) return a + b
  }
  for (const fn of [(a, b) => a + b, endless]) {
    await assert.rejects(new Iterator([1, 2]).reduce(fn, { initial: () => 1 }), {
      code: 'ERR_NC_INVALID_VALUE',
      message: /^initial of reduce\(\) cannot be sent: value is a function/,
    })
  }
})

for (const [kind, fn] of Object.entries({
  sync: (x) => {
    if (x !== 77) return x
    const cause = new RangeError('deeper')
    throw Object.assign(new TypeError('boom', { cause }), {
      code: 'EBOOM',
      extra: { a: [1] },
      f() {},
    })
  },
  async: async (x) => {
    await Promise.resolve()
    if (x !== 77) return x
    const cause = new RangeError('deeper')
    throw Object.assign(new TypeError('boom', { cause }), {
      code: 'EBOOM',
      extra: { a: [1] },
      f() {},
    })
  },
})) {
  test(`what a ${kind} function throws is the cause, as it was`, async () => {
    const methods = ['map', 'filter', 'flatMap', 'forEach']
    for (const source of [numbers(100), numbers(100).values()]) {
      for (const method of methods) {
        const items = Array.isArray(source) ? source : numbers(100).values()
        const error = await failure(new Iterator(items)[method](fn))
        assert.equal(error.name, 'TaskError')
        assert.equal(error.code, 'ERR_NC_TASK_FAILED')
        assert.equal(error.itemIndex, 77)
        assert.equal(error.attempts, 1)
        assert.match(error.workerId, /^worker/)
        assert.equal(error.message, 'item 77: TypeError: boom')
        const { cause } = error
        assert.ok(cause instanceof TypeError)
        assert.equal(cause.message, 'boom')
        assert.match(cause.stack, /TypeError: boom\n +at/)
        assert.equal(/** @type {any} */ (cause).code, 'EBOOM')
        assert.deepEqual(/** @type {any} */ (cause).extra, { a: [1] })
        assert.ok(cause.cause instanceof RangeError)
        assert.deepEqual(Object.keys(cause).sort(), ['code', 'extra'])
      }
    }
  })
}

test('what is thrown need not be an error', async () => {
  const error = await failure(
    new Iterator([1]).map(() => {
      // oxlint-disable-next-line no-throw-literal
      throw { reason: 'none' }
    }),
  )
  assert.deepEqual(error.cause, { reason: 'none' })
})

test('names of an error do not reach the prototype', async () => {
  const error = await failure(
    new Iterator([1]).map(() => {
      throw Object.assign(new Error('e'), JSON.parse('{"__proto__": {"polluted": 1}, "x": 1}'), {
        constructor: 'c',
      })
    }),
  )
  assert.equal(/** @type {any} */ ({}).polluted, undefined)
  assert.ok(error.cause instanceof Error)
  assert.equal(error.cause.constructor, 'c')
})

test('a result that cannot be sent: which, and where in it', async () => {
  const sync = await failure(
    new Iterator(numbers(10)).map((x) => {
      for (;;) return x === 7 ? { list: [1, { f() {} }] } : x
    }),
  )
  assert.equal(sync.code, 'ERR_NC_UNSERIALIZABLE_RESULT')
  assert.equal(sync.itemIndex, 7)
  assert.match(
    sync.message,
    /the result of item 7 cannot be sent: value\.list\[1\]\.f is a function/,
  )
  const flat = await failure(
    new Iterator([1]).flatMap(() => {
      for (;;) return [Symbol('s')]
    }),
  )
  assert.equal(flat.code, 'ERR_NC_UNSERIALIZABLE_RESULT')
  const reduced = await failure(
    new Iterator([1, 2]).reduce(() => {
      for (;;) return () => {}
    }),
  )
  assert.equal(reduced.code, 'ERR_NC_UNSERIALIZABLE_RESULT')
})

test('an item that cannot be sent fails all, with its place', async () => {
  const same = (x) => {
    for (;;) return x
  }
  for (const make of [(items) => items, (items) => items.values(), later]) {
    const error = await failure(new Iterator(make([1, 2, { f() {} }, 4])).map(same))
    assert.equal(error.code, 'ERR_NC_INVALID_VALUE')
    assert.match(error.message, /item 2 cannot be sent: value\.f is a function/)
  }
})

async function* later(items) {
  for (const item of items) yield item
}

test('a source that throws fails all with what it threw', async () => {
  const same = (x) => {
    for (;;) return x
  }
  function* failing() {
    yield 1
    throw new RangeError('no more')
  }
  async function* failingLater() {
    yield* failing()
  }
  for (const source of [failing, failingLater]) {
    await assert.rejects(new Iterator(source()).map(same), {
      name: 'RangeError',
      message: 'no more',
    })
  }
  const bad = { [Symbol.iterator]: () => ({ next: () => 5 }) }
  await assert.rejects(new Iterator(bad).map(same), TypeError)
})

test('a source hears that the rest is not wanted', async () => {
  let told = 0
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
  const failing = (x) => {
    if (x === 50) throw new Error('enough')
  }
  for (const source of [endless, endlessLater]) {
    await assert.rejects(new Iterator(source()).forEach(failing), { itemIndex: 50 })
  }
  assert.equal(told, 2)
})

test('collected errors: everything is done first', async () => {
  const fn = (x) => {
    if (x % 25 === 7) throw new Error(`no ${x}`)
    return x
  }
  const failed = [7, 32, 57, 82]
  for (const source of [() => numbers(100), () => numbers(100).values()]) {
    const mapped = await failure(new Iterator(source()).map(fn, { onError: 'collect' }))
    assert.ok(mapped instanceof AggregateError)
    assert.equal(/** @type {any} */ (mapped).code, 'ERR_NC_TASK_FAILED')
    assert.deepEqual(
      mapped.errors.map((error) => error.itemIndex),
      failed,
    )
    assert.equal(mapped.errors[1].cause.message, 'no 32')
    assert.deepEqual(
      mapped.results,
      numbers(100).map((x) => (failed.includes(x) ? undefined : x)),
    )
    const filtered = await failure(new Iterator(source()).filter(fn, { onError: 'collect' }))
    assert.deepEqual(
      filtered.results,
      numbers(100).filter((x) => x > 0 && !failed.includes(x)),
    )
    const flat = await failure(new Iterator(source()).flatMap(fn, { onError: 'collect' }))
    assert.deepEqual(
      flat.results,
      numbers(100).filter((x) => !failed.includes(x)),
    )
    const each = await failure(new Iterator(source()).forEach(fn, { onError: 'collect' }))
    assert.equal(each.errors.length, 4)
  }
})

test('an item that throws is done again as often as was asked, others are not', async () => {
  const fn = async (x, _scope, ctx) => {
    const done = (globalThis.done ??= new Map())
    done.set(x, (done.get(x) ?? 0) + 1)
    await Promise.resolve()
    if (x % 10 === 3 && ctx.attempt < 3) throw new Error('again')
    return done.get(x)
  }
  const times = numbers(40).map((x) => (x % 10 === 3 ? 3 : 1))
  const results = await new Iterator(numbers(40)).map(fn, { retries: 2, globals: ['done'] })
  assert.deepEqual(results, times)
  globalThis.done.clear()
  const flat = await new Iterator(numbers(40)).flatMap(fn, { retries: 2, globals: ['done'] })
  assert.deepEqual(flat, times)
  globalThis.done.clear()
  const error = await failure(new Iterator(numbers(40)).map(fn, { retries: 1, globals: ['done'] }))
  assert.equal(error.attempts, 2)
  assert.equal(error.itemIndex % 10, 3)
  delete globalThis.done
})

test('retries, and what still fails is collected', async () => {
  const fn = (x, _scope, ctx) => {
    if (x === 3 && ctx.attempt < 2) throw new Error('again')
    if (x === 5) throw new Error('never')
    return x
  }
  const options = { retries: 2, onError: 'collect', chunkSize: 4 }
  const error = await failure(new Iterator(numbers(8)).map(fn, options))
  assert.deepEqual(
    error.errors.map(({ itemIndex, attempts }) => [itemIndex, attempts]),
    [[5, 3]],
  )
  assert.deepEqual(error.results, [0, 1, 2, 3, 4, undefined, 6, 7])
})

test('aborted: rejects at once, functions are told', async () => {
  const controller = new AbortController()
  const waiting = new Iterator(numbers(5)).map(
    (_x, _scope, ctx) =>
      new Promise((resolve) => {
        globalThis.begun?.()
        ctx.signal.addEventListener('abort', () => {
          globalThis.aborted = (globalThis.aborted ?? 0) + 1
          resolve(null)
        })
      }),
    { signal: controller.signal, globals: ['begun', 'aborted'] },
  )
  await new Promise((resolve) => (globalThis.begun = () => resolve(undefined)))
  controller.abort(new Error('enough'))
  const error = await failure(waiting)
  assert.equal(error.name, 'AbortError')
  assert.equal(error.code, 'ABORT_ERR')
  assert.equal(error.cause.message, 'enough')
  while (!globalThis.aborted) await pause(1)
  delete globalThis.begun
  delete globalThis.aborted
  assert.equal(manager._compute().jobs.size, 0)
  // The workers are free for others.
  assert.deepEqual(
    await new Iterator([1]).map((x) => {
      for (;;) return x
    }),
    [1],
  )
})

test('a listener for progress that throws fails the work', async () => {
  const work = new Iterator(numbers(10)).map((x) => x, {
    onProgress() {
      throw new RangeError('not me')
    },
  })
  await assert.rejects(work, { name: 'RangeError', message: 'not me' })
})

test('results that cannot be sent are collected too', async () => {
  const fn = (x) => {
    for (;;) return x % 4 === 1 ? () => x : x
  }
  const error = await failure(new Iterator(numbers(8)).map(fn, { onError: 'collect' }))
  assert.deepEqual(
    error.errors.map(({ itemIndex, code }) => [itemIndex, code]),
    [
      [1, 'ERR_NC_UNSERIALIZABLE_RESULT'],
      [5, 'ERR_NC_UNSERIALIZABLE_RESULT'],
    ],
  )
  assert.deepEqual(error.results, [0, undefined, 2, 3, 4, undefined, 6, 7])
})

test('a queue that is full refuses more', async (t) => {
  const full = new LocalManager({ maxQueue: 3 })
  t.after(() => full.close())
  const same = (x) => {
    for (;;) return x
  }
  const first = new full.Iterator(numbers(3)).map(same)
  await new Promise((resolve) => setImmediate(resolve))
  await assert.rejects(new full.Iterator([1]).map(same), { code: 'ERR_NC_QUEUE_FULL' })
  full.work()
  assert.deepEqual(await first, [0, 1, 2])
  assert.deepEqual(await new full.Iterator([1]).map(same), [1])
})

test('a pool that is closed', async () => {
  const closed = new LocalManager()
  await closed.close()
  const work = new closed.Iterator([1]).map((x) => {
    for (;;) return x
  })
  await assert.rejects(work, { code: 'ERR_NC_CLOSED' })
})
