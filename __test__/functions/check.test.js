'use strict'

const assert = require('assert')
const vm = require('vm')
const { describe: suite, it } = require('node:test')
const { describe, stands } = require('../../lib/functions')
const {
  CapturedVariablesError,
  NetworkClusterError,
} = require('../../lib/core/network-cluster-error')

/** [text, code, line, column, what the message says]; line 0: the message has no place. */
const REFUSED = [
  ['x => y', 'CAPTURED_VARIABLES', 1, 6, /: y \(line 1, column 6\)\. Pass what it needs/],
  ['x => { y = x }', 'CAPTURED_VARIABLES', 1, 8, /y \(line 1, column 8, assigned\)/],
  ['x => { y++ }', 'CAPTURED_VARIABLES', 1, 8, /assigned/],
  ['x =>\n  x +\n  é + yy', 'CAPTURED_VARIABLES', 3, 3, /yy \(line 3, column 7\)/],
  ['x => "😀" + y', 'CAPTURED_VARIABLES', 1, 13, /y/],
  ['x => typeof y + y', 'CAPTURED_VARIABLES', 1, 17, /y/],
  ['x => ({ y })', 'CAPTURED_VARIABLES', 1, 9, /y/],
  ['x => class extends Y {}', 'CAPTURED_VARIABLES', 1, 20, /Y/],
  ['x => [1].map(z => z + y)', 'CAPTURED_VARIABLES', 1, 23, /y/],
  ['x => <Foo>y', 'CAPTURED_VARIABLES', 1, 11, /: y/],
  ['async x => await y', 'CAPTURED_VARIABLES', 1, 18, /y/],
  ['function(x) { return await y }', 'CAPTURED_VARIABLES', 1, 28, /y/],
  ['x => arguments[0]', 'CAPTURED_VARIABLES', 1, 6, /an arrow function has none of its own/],
  ['x => require("fs")', 'CAPTURED_VARIABLES', 1, 6, /await import/],
  ['x => __dirname', 'CAPTURED_VARIABLES', 1, 6, /belongs to the file/],
  ['x => window.x', 'CAPTURED_VARIABLES', 1, 6, /browser/],
  ['x => { cov_2b().s[0]++ }', 'CAPTURED_VARIABLES', 1, 8, /test coverage inserted it/],
  ['x => { __cov_2b.f++ }', 'CAPTURED_VARIABLES', 1, 8, /test coverage inserted it/],
  ['x => _asyncToGenerator(x)', 'CAPTURED_VARIABLES', 1, 6, /a transpiler inserted this helper/],
  ['x => __awaiter(x)', 'CAPTURED_VARIABLES', 1, 6, /a transpiler/],
  ['x => tslib_1.__awaiter(x)', 'CAPTURED_VARIABLES', 1, 6, /a transpiler/],
  ['x => _objectSpread2({}, x)', 'CAPTURED_VARIABLES', 1, 6, /a transpiler/],
  ['x => __vite_ssr_import_0__.a', 'CAPTURED_VARIABLES', 1, 6, /a bundler/],
  ['x => this', 'USES_THIS', 1, 6, /uses `this`/],
  ['function (x) { return () => this.y }', 'USES_THIS', 1, 29, /uses `this`/],
  ['x => class { [this.y] = 1 }', 'USES_THIS', 1, 15, /uses `this`/],
  ['foo(x) { return this }', 'USES_THIS', 1, 17, /"foo" uses `this`/],
  ['foo(x) { return super.foo(x) }', 'FUNCTION_SOURCE', 1, 17, /uses `super`/],
  ['function (x) { return new.target }', 'FUNCTION_SOURCE', 1, 23, /new\.target/],
  ['x => import.meta.url', 'FUNCTION_SOURCE', 1, 6, /import\.meta/],
  ['x => eval("x")', 'FUNCTION_SOURCE', 1, 6, /calls `eval`/],
  ['x => { with (x) y }', 'FUNCTION_SOURCE', 1, 8, /uses `with`/],
  ['function* (x) {}', 'FUNCTION_SOURCE', 0, 0, /is a generator/],
  ['async function* (x) {}', 'FUNCTION_SOURCE', 0, 0, /is a generator/],
  ['*foo(x) {}', 'FUNCTION_SOURCE', 0, 0, /is a generator/],
  ['get x() { return 1 }', 'FUNCTION_SOURCE', 0, 0, /is a getter/],
  ['set x(v) {}', 'FUNCTION_SOURCE', 0, 0, /is a getter or setter/],
  ['class A {}', 'FUNCTION_SOURCE', 0, 0, /is a class/],
  ['function f() { [native code] }', 'FUNCTION_SOURCE', 0, 0, /is native/],
  ['x', 'FUNCTION_SOURCE', 0, 0, /is not the text of one function/],
  ['', 'FUNCTION_SOURCE', 1, 1, /cannot be read/],
  ['(x => x)(1)', 'FUNCTION_SOURCE', 0, 0, /is not the text/],
  ['x => x, y => y', 'FUNCTION_SOURCE', 0, 0, /is not the text/],
  ['x => {', 'FUNCTION_SOURCE', 1, 7, /cannot be read/],
  ['x => x) + (y => y', 'FUNCTION_SOURCE', 0, 0, /is not the text/],
  ['x => {\n  let a\n  let a\n}', 'FUNCTION_SOURCE', 2, 7, /already been declared/],
  ['#foo(x) {}', 'FUNCTION_SOURCE', 1, 1, /Private/],
  ['x => x.#y', 'FUNCTION_SOURCE', 1, 8, /[Pp]rivate/],
  ['x => { break }', 'FUNCTION_SOURCE', 1, 8, /break/],
  ['x => { @y class A {} }', 'FUNCTION_SOURCE', 0, 0, /cannot be compiled/, ['y']],
  [`x => ${'('.repeat(100_000)}x`, 'FUNCTION_SOURCE', 1, 262, /nests too deeply/],
  [`x => '${'x'.repeat(1 << 20)}'`, 'FUNCTION_SOURCE', 0, 0, /is too long/],
]

/** [text, what the report says of it] */
const ACCEPTED = [
  ['x => x * 2', { kind: 'sync', params: 1, short: true, usesScope: false }],
  ['(x => x * 2)', { short: true }],
  ['x => x;', { short: true }],
  ['function named(x) { return named.length }', { name: 'named', short: true }],
  ['async (x, s) => await s.get("k")', { kind: 'async', scopeReads: ['k'], specialisable: true }],
  ['function(x, s) { return await s.get("k") }', { kind: 'async', specialisable: true }],
  ['foo(x, s) { return await s.get("k") }', { kind: 'async', name: 'foo', specialisable: true }],
  ['foo(x) { return fetch(x) }', { name: 'foo' }],
  ['"a-b"(x) { return x }', { short: true }],
  ['[Symbol.iterator](x) { return x }', { short: true }],
  ['function (x) { return arguments[0] }', { usesContext: true, short: false }],
  ['x => function () { return this + arguments.length + new.target }', {}],
  ['x => class { a = this; static { this.b = 1 } m() { return super.m } }', {}],
  ['x => typeof y', {}],
  ['async x => { await import(x) }', {}],
  ['x => (0, eval)(x)', {}],
  ['x => globalThis.y', {}],
  ['x => process.env.A + Buffer.from(x)', {}],
  ['x => structuredClone(x)', {}],
  ['(x, scope, ctx) => ctx.index', { usesContext: true, usesScope: false }],
  ['(x: number): Array<number> => [x as any, x!]', { short: true }],
  ['function <T extends Foo>(x: T, s: Scope<T>) { return await s.get("k") }', { kind: 'async' }],
  ['foo(x?: number) { enum A { B = 2 } return A.B }', { name: 'foo' }],
  ['function (x) { return 010 }', {}],
  ['x => { // the end\n return x } // really', { short: true }],
]

suite('the check of functions', () => {
  for (const [text, code, line, column, says, globals] of REFUSED) {
    it(`refuses ${text.slice(0, 60)}`, () => {
      assert.throws(
        () => describe(text, { globals }),
        (/** @type {any} */ error) => {
          assert.ok(error instanceof NetworkClusterError)
          assert.strictEqual(error.code, `ERR_NC_${code}`)
          assert.match(error.message, /^function "/)
          assert.match(error.message, says)
          assert.deepStrictEqual([error.line ?? 0, error.column ?? 0], [line, column])
          return true
        },
      )
    })
  }

  for (const [text, expected] of ACCEPTED) {
    it(`accepts ${text.slice(0, 60)}`, () => {
      const { report, hash, code } = describe(text)
      assert.match(hash, /^[0-9a-f]{64}$/)
      assert.strictEqual(typeof vm.runInThisContext(`(${code}\n)`), 'function')
      for (const [key, value] of Object.entries(expected)) {
        assert.deepStrictEqual(report[key], value, key)
      }
    })
  }

  it('names every variable from outside', () => {
    let k = 0
    const helper = () => {}
    assert.throws(
      () =>
        describe(function seen(x) {
          k += x
          return helper(k)
        }),
      (/** @type {any} */ error) => {
        assert.ok(error instanceof CapturedVariablesError)
        assert.deepStrictEqual(error.captured, [
          { name: 'k', line: 2, column: 11, assigned: true },
          { name: 'helper', line: 3, column: 18, assigned: false },
        ])
        assert.match(error.message, /^function "seen" uses variables/)
        return true
      },
    )
  })

  it('lets names through that the worker is said to have', () => {
    const { code } = describe('x => y', { globals: ['y'] })
    assert.strictEqual(code, 'x => y')
    assert.throws(() => describe('x => y', { globals: ['z'] }), {
      code: 'ERR_NC_CAPTURED_VARIABLES',
    })
    assert.throws(() => describe('x => y', { globals: /** @type {any} */ ('y') }), {
      code: 'ERR_NC_INVALID_ARG',
    })
    assert.throws(() => describe('x => y', { uses: /** @type {any} */ ('x') }), {
      code: 'ERR_NC_INVALID_ARG',
    })
  })

  it('refuses what has no text, and what is no function', () => {
    assert.throws(() => describe(Math.max), { code: 'ERR_NC_FUNCTION_SOURCE', message: /native/ })
    assert.throws(() => describe(Function.prototype.bind.call(() => {}, null)), {
      code: 'ERR_NC_FUNCTION_SOURCE',
      message: /is bound/,
    })
    assert.throws(() => describe(new Proxy(() => {}, {})), { code: 'ERR_NC_FUNCTION_SOURCE' })
    for (const value of [undefined, null, 1, {}, Symbol('x')]) {
      assert.throws(() => describe(value), { code: 'ERR_NC_NOT_A_FUNCTION' })
    }
  })

  it('remembers a function, for each way it is used', () => {
    const fn = (/** @type {number} */ a, /** @type {number} */ b) => a + b
    const item = describe(fn)
    assert.strictEqual(describe(fn), item)
    const reduce = describe(fn, { uses: 'reduce' })
    assert.notStrictEqual(reduce.hash, item.hash)
    assert.strictEqual(reduce.report.usesScope, false)
    assert.strictEqual(item.report.usesScope, true)
    assert.strictEqual(describe(fn, { uses: 'reduce' }), reduce)
    assert.strictEqual(describe(String(fn)).hash, item.hash)
    assert.strictEqual(describe(fn, { globals: ['x'] }).hash, item.hash)
  })

  it('describes what a callable stands for', () => {
    const callable = stands(() => Promise.resolve(), 'x => y', ['y'])
    assert.strictEqual(describe(callable, { uses: 'call' }).code, 'x => y')
  })

  it('gives what is the same after JSON', () => {
    const description = describe('async function f(x, s, c) { return await s.get("k") + c.index }')
    assert.deepStrictEqual(JSON.parse(JSON.stringify(description)), description)
  })
})

it('a function whose name is no text is described without one', () => {
  const odd = Object.defineProperty((x) => x, 'name', { value: { toString: 1 } })
  assert.equal(describe(odd).name, '')
  const throwing = Object.defineProperty((x) => x + missing, 'name', {
    get() {
      throw new Error('no name')
    },
  })
  assert.throws(() => describe(throwing), { code: 'ERR_NC_CAPTURED_VARIABLES' })
})
