'use strict'

const assert = require('assert')
const { describe: suite, it } = require('node:test')
const { describe, compile, ItemError } = require('../../lib/functions')

/** @param {Record<string, unknown>} values every read gives a copy */
function scopeOf(values) {
  return { get: async (/** @type {string} */ key) => structuredClone(values[key]) }
}

/** @param {any} call */
async function outcome(call) {
  try {
    const results = await call()
    return {
      results: ArrayBuffer.isView(results) ? Array.from(/** @type {any} */ (results)) : results,
    }
  } catch (error) {
    assert.ok(error instanceof ItemError, String(error))
    const { cause } = /** @type {any} */ (error)
    return {
      index: error.index,
      cause: cause instanceof Error ? `${cause.name}: ${cause.message}` : cause,
    }
  }
}

const context = (/** @type {number} */ index) => ({ index })

/** Functions that are specialised; each has to do the same as when it is not. */
const CORPUS = [
  'async n => n * 2',
  'async function (n) { if (n === 2) throw n; return Promise.resolve(n) }',
  'async (n, s) => n * await s.get("number")',
  'async function (n, s) { var m = await s.get("number"); return n * m }',
  '(n, s) => s.get("number").then(function (m) { return n * m })',
  'function (n, s) { return s.get("number").then(m => [m, n]) }',
  'async (n, s) => s.get("text")',
  'async (n, s) => `${await s.get("text")} ${n} ${await s.get("missing")}`',
  'async (n, s) => { if (n === 3) throw new RangeError("three"); return await s.get("number") + n }',
  'async (n, s) => { if (n > 2) throw n; return await s.get("number") }',
  'async (n, s) => { try { if (n % 2) throw n; return await s.get("number") } catch (e) { return -e } }',
  'async (n, s) => { try { return await s.get("number") } finally { if (n === 4) throw new Error("four") } }',
  '(n, s) => s.get("number").then(m => { if (n === 2) throw new Error("two"); return m })',
  'async (n, s) => n === 3 ? Promise.reject(new Error("later")) : n + await s.get("number")',
  'async (n, s) => n === 3 ? new Promise(done => setImmediate(done, "late")) : await s.get("number")',
  'async (n, s) => ({ then(done) { done(n) }, m: await s.get("number") })',
  'async (n, s) => { const v = await s.get("object"); return v.list[n] + v.map.get("a") }',
  'async (n, s) => { const v = await s.get("object"); v.list.push(n); return v.list.length }',
  'async (n, s) => { const { list } = await s.get("object"); return list.sort((a, b) => a < b ? 1 : -1) }',
  'async (n, s) => { const v = await s.get("object"); v.count = (v.count ?? 0) + n; return v }',
  'async (n, s) => { const v = await s.get("object"); return n % 2 ? v : v.list }',
  'async (n, s) => { const v = await s.get("frozen"); "use strict"; v.x = n; return v.x }',
  'async (n, s, c) => [c.index, n, await s.get("number")]',
  'async ({ length = 7 } = {}, s) => length + await s.get("number")',
  'async (n, s) => { let sum = 0; for (let i = 0; i < n; i++) sum += await s.get("number"); return sum }',
  'async (n, s) => await s.get("nan") === n ? 1 : Object.is(await s.get("zero"), -0)',
  'async (n, s) => { const f = x => x + n; return f(await s.get("number")) }',
  'async (n, s) => { const t = await s.get("number"), u = await s.get("number"); return t === u }',
  'async (n, s) => n.missing.property + await s.get("number")',
  'async foo(n, s) { return n * await s.get("number") }',
  'async (n, s) => { switch (n) { case 1: return await s.get("text"); case 2: return undefined } }',
]

const VALUES = {
  number: 10,
  text: 'text',
  object: { list: [5, 3, 4, 1, 2], map: new Map([['a', 1]]) },
  frozen: { x: 0 },
  nan: NaN,
  zero: -0,
}

suite('a specialised function', () => {
  for (const text of CORPUS) {
    it(`does the same: ${text.slice(0, 70)}`, async () => {
      const description = describe(text)
      assert.ok(description.report.specialised)
      for (const kind of /** @type {const} */ (['map', 'filter', 'flatMap', 'forEach'])) {
        for (const items of [
          [1, 2, 3, 4, 5],
          Float64Array.of(1, 2, 3, 4, 5),
          [],
          ['a', { b: 1 }, 3],
        ]) {
          const fast = compile(description, kind)
          const slow = compile(description, kind, { reads: 'latest' })
          assert.deepStrictEqual([fast.specialised, slow.specialised], [true, false])
          assert.deepStrictEqual(slow.keys, [])
          const values = fast.keys.map((key) => structuredClone(VALUES[key]))
          const expected = await outcome(() => slow.run(items, 100, null, scopeOf(VALUES), context))
          const actual = await outcome(() => fast.run(items, 100, values, scopeOf(VALUES), context))
          assert.deepStrictEqual(actual, expected)
          // A second chunk finds nothing of the first.
          const again = await outcome(() => fast.run(items, 100, values, scopeOf(VALUES), context))
          assert.deepStrictEqual(again, expected)
        }
      }
    })
  }

  it('is specialised in reduce too', async () => {
    const description = describe('async (a, b, s) => a + b * await s.get("number")', {
      uses: 'reduce',
    })
    const runner = compile(description, 'reduce')
    assert.deepStrictEqual(runner.keys, ['number'])
    assert.strictEqual(runner.run([1, 2, 3], 0, [10], undefined, context), 51)
    assert.strictEqual(await runner.run([1, 2, 3], 0, null, scopeOf(VALUES), context), 51)
  })

  it('sees new values in the next chunk', () => {
    const runner = compile(describe('async (n, s) => n * await s.get("k")'), 'map')
    for (const k of [1, 2, 2, 3]) {
      assert.deepStrictEqual(
        runner.run([1, 2], 0, [k], undefined, context),
        Float64Array.of(k, 2 * k),
      )
    }
  })

  it('shares no object between results', () => {
    const runner = compile(describe('async (n, s) => (await s.get("v")).inner'), 'map')
    const [a, b] = runner.run([1, 2], 0, [{ inner: {} }], undefined, context)
    assert.notStrictEqual(a, b)
  })
})

suite('a runner', () => {
  const run = (
    /** @type {any} */ fn,
    /** @type {any} */ kind,
    /** @type {any} */ items,
    /** @type {any} */ options,
  ) => {
    const uses = kind === 'reduce' ? 'reduce' : kind === 'call' ? 'call' : 'item'
    return compile(describe(fn, { uses }), kind, { reads: 'latest' }).run(
      items,
      10,
      null,
      undefined,
      context,
      options,
    )
  }

  it('gives numbers as a Float64Array, and anything else as an array', async () => {
    assert.deepStrictEqual(run('x => -x', 'map', [0, 1]), Float64Array.of(-0, -1))
    assert.deepStrictEqual(run('x => x', 'map', [1, 2, 'x', 3]), [1, 2, 'x', 3])
    assert.deepStrictEqual(run('x => x', 'map', [undefined, null, true, {}]), [
      undefined,
      null,
      true,
      {},
    ])
    assert.deepStrictEqual(await run('async x => x', 'map', [1, 2]), Float64Array.of(1, 2))
    assert.deepStrictEqual(await run('async x => x', 'map', [1, 'x']), [1, 'x'])
    assert.deepStrictEqual(run('x => x', 'map', []), new Float64Array(0))
  })

  it('filters, flattens, reduces, calls', async () => {
    assert.deepStrictEqual(run('x => x > 1', 'filter', [1, 2, 3]), Uint8Array.of(0, 1, 1))
    assert.deepStrictEqual(
      await run('async x => x > 1', 'filter', [1, 2, 3]),
      Uint8Array.of(0, 1, 1),
    )
    const spread =
      'x => x === 1 ? [x, [x]] : x === 2 ? new Set([7, 8]) : x === 3 ? "abc" : undefined'
    const flat = [1, [1], 7, 8, 'abc', undefined]
    assert.deepStrictEqual(run(spread, 'flatMap', [1, 2, 3, 4]), flat)
    assert.deepStrictEqual(await run(`async ${spread}`, 'flatMap', [1, 2, 3, 4]), flat)
    assert.strictEqual(run('x => x', 'forEach', [1, 2]), undefined)
    assert.strictEqual(await run('async x => x', 'forEach', [1, 2]), undefined)
    assert.strictEqual(run('(a, b) => a + b', 'reduce', ['a', 'b', 'c']), 'abc')
    assert.strictEqual(await run('async (a, b) => a + b', 'reduce', ['a', 'b', 'c']), 'abc')
    assert.strictEqual(run('(a, b) => a + b', 'reduce', [5]), 5)
    assert.deepStrictEqual(run('(...all) => all', 'call', [[1, 2], []]), [[1, 2], []])
    assert.deepStrictEqual(await run('async (a, b) => a + b', 'call', [[1, 2]]), Float64Array.of(3))
  })

  it('goes on from numbers to promises and other values', async () => {
    const mixed = 'x => x === 2 ? Promise.resolve("p") : x === 4 ? "s" : x'
    assert.deepStrictEqual(await run(mixed, 'map', [1, 2, 3, 4, 5]), [1, 'p', 3, 's', 5])
    assert.deepStrictEqual(await run(mixed, 'map', [4, 1, 2, 3]), ['s', 1, 'p', 3])
    assert.deepStrictEqual(await run(mixed, 'flatMap', [1, 2, 3]), [1, 'p', 3])
  })

  it('tells which item failed', async () => {
    for (const fn of [
      'x => { if (x > 2) throw x; return x }',
      'async x => { if (x > 2) throw x; return x }',
    ]) {
      for (const kind of ['map', 'filter', 'flatMap', 'forEach']) {
        assert.deepStrictEqual(await outcome(() => run(fn, kind, [1, 2, 3, 4])), {
          index: 12,
          cause: 3,
        })
      }
    }
    const sum = '(a, b) => { if (b === 3) throw b; return a + b }'
    assert.deepStrictEqual(await outcome(() => run(sum, 'reduce', [1, 2, 3])), {
      index: 12,
      cause: 3,
    })
    assert.deepStrictEqual(await outcome(() => run(`async ${sum}`, 'reduce', [1, 2, 3])), {
      index: 12,
      cause: 3,
    })
  })

  it('of several failures reports the first in order, not in time', async () => {
    const fn = `async x => {
      await new Promise(done => x === 1 ? setTimeout(done, 20) : setImmediate(done))
      if (x > 0) throw x
    }`
    assert.deepStrictEqual(await outcome(() => run(fn, 'map', [0, 1, 2, 3])), {
      index: 11,
      cause: 1,
    })
  })

  it('has at most so many items under way', async () => {
    const fn = `async x => {
      globalThis.under = (globalThis.under ?? 0) + 1
      globalThis.most = Math.max(globalThis.most ?? 0, globalThis.under)
      await new Promise(setImmediate)
      globalThis.under--
    }`
    const most = async (/** @type {any} */ options) => {
      await run(fn, 'forEach', Array.from({ length: 40 }), options)
      const { most: result } = /** @type {any} */ (globalThis)
      delete (/** @type {any} */ (globalThis).most)
      return result
    }
    assert.deepStrictEqual([await most({}), await most({ inFlight: 3 })], [16, 3])
    delete (/** @type {any} */ (globalThis).under)
  })

  it('starts nothing more once it is aborted', async () => {
    const controller = new AbortController()
    const fn = 'async x => { await new Promise(setImmediate); globalThis.last = x }'
    const options = { inFlight: 2, signal: controller.signal }
    const results = outcome(() => run(fn, 'forEach', [0, 1, 2, 3, 4, 5], options))
    controller.abort('enough')
    assert.deepStrictEqual(await results, { index: 12, cause: 'enough' })
    assert.strictEqual(/** @type {any} */ (globalThis).last, 1)
    delete (/** @type {any} */ (globalThis).last)
  })

  it('goes on after failures if it is to collect them', async () => {
    const collect = async (/** @type {string} */ fn, /** @type {string} */ kind) => {
      /** @type {unknown[]} */
      const failed = []
      const failure = (/** @type {number} */ index, /** @type {unknown} */ cause) =>
        failed.push([index, cause])
      const results = await run(fn, kind, [1, 2, 3, 4], { failed: failure })
      return [results, failed]
    }
    const odd = 'x => { if (x % 2) throw x; return x }'
    const failed = [
      [10, 1],
      [12, 3],
    ]
    for (const fn of [odd, `async ${odd}`]) {
      assert.deepStrictEqual(await collect(fn, 'map'), [[undefined, 2, undefined, 4], failed])
      assert.deepStrictEqual(await collect(fn, 'filter'), [Uint8Array.of(0, 1, 0, 1), failed])
      assert.deepStrictEqual(await collect(fn, 'flatMap'), [[2, 4], failed])
      assert.deepStrictEqual(await collect(fn, 'forEach'), [undefined, failed])
    }
  })

  it('asks for the context of an item only if it is used', () => {
    const runner = compile(describe('(x, s, c) => c.index'), 'map')
    assert.deepStrictEqual(
      runner.run(['a', 'b'], 5, null, undefined, context),
      Float64Array.of(5, 6),
    )
    const without = compile(describe('x => x + 1'), 'map')
    const never = () => assert.fail('asked for a context')
    assert.deepStrictEqual(without.run([1], 5, null, undefined, never), Float64Array.of(2))
  })
})
