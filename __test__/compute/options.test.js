'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { IteratorClass } = require('../../lib/compute/iterator.js')
const { workOptions } = require('../../lib/compute/options.js')

/** Nothing of what is tested here gets so far as to need workers. */
const Iterator = new IteratorClass({
  _compute() {
    throw new Error('no work was expected')
  },
})

const BAD = [
  [{ chunksize: 5 }, /no option "chunksize"; did you mean "chunkSize"\?/],
  [{ workers: 5 }, /no option "workers"; there are chunkSize, concurrency/],
  [{ chunkSize: 0 }, /chunkSize of map\(\) must be 'auto' or an integer above 0; it is 0/],
  [{ chunkSize: '5' }, /it is "5"/],
  [{ chunkSize: NaN }, /it is NaN/],
  [{ concurrency: 0 }, /concurrency/],
  [{ concurrency: 1.5 }, /concurrency/],
  [{ ordered: 1 }, /ordered of map\(\) must be true or false/],
  [{ priority: Infinity }, /priority/],
  [{ retries: -1 }, /retries/],
  [{ timeout: 0 }, /timeout/],
  [{ timeout: Infinity }, /timeout/],
  [{ timeout: 2 ** 31 }, /timeout/],
  [{ signal: {} }, /signal of map\(\) must be an AbortSignal; it is an object/],
  [{ onProgress: true }, /onProgress/],
  [{ onError: 'ignore' }, /onError of map\(\) must be one of 'reject', 'collect'/],
  [{ reads: 'newest' }, /reads/],
  [{ partitionBy: 5 }, /partitionBy/],
  [{ partitionBy: '' }, /partitionBy/],
  [{ globals: 'fetch' }, /globals/],
  [{ isolate: 'isolated-vm' }, /isolate of map\(\) must be 'none'/],
  [{ transfer: [] }, /transfer/],
  [{ initial: 1 }, /no option "initial"/],
  [[], /the options of map\(\) must be an object/],
  [null, /the options of map\(\) must be an object/],
  ['fast', /the options of map\(\) must be an object/],
]

test('options that make no sense are refused before anything is done', async () => {
  for (const [options, message] of BAD) {
    const refused = new Iterator([1]).map((x) => x, /** @type {any} */ (options))
    await assert.rejects(refused, { code: 'ERR_NC_INVALID_ARG', message })
  }
})

test('stream() throws for them', () => {
  const options = /** @type {any} */ ({ chunkSize: -1 })
  assert.throws(() => new Iterator([1]).stream((x) => x, options), { code: 'ERR_NC_INVALID_ARG' })
})

test('reduce() has an initial value, and cannot collect errors', async () => {
  assert.deepEqual(workOptions('reduce', { initial: undefined }).initial, { value: undefined })
  assert.equal(workOptions('reduce', {}).initial, undefined)
  assert.throws(() => workOptions('reduce', { onError: 'collect' }), { code: 'ERR_NC_INVALID_ARG' })
})

test('a single call has no chunks', () => {
  assert.throws(() => workOptions('run', { chunkSize: 5 }), /no option "chunkSize"/)
  assert.throws(() => workOptions('run', { ordered: true }), /no option "ordered"/)
  assert.equal(workOptions('run', { timeout: 5 }).timeout, 5)
})

test('undefined stands for the default', () => {
  const options = workOptions('map', {
    chunkSize: undefined,
    timeout: undefined,
    ordered: undefined,
  })
  assert.deepEqual(options, workOptions('map', undefined))
  assert.equal(options.chunkSize, 0)
  assert.equal(options.ordered, true)
})

test('what cannot be iterated over is refused', () => {
  for (const source of [
    undefined,
    null,
    5,
    {},
    () => {},
    Symbol('s'),
    { length: 2 },
    Promise.resolve(),
  ]) {
    const make = () => new Iterator(/** @type {any} */ (source))
    assert.throws(make, { code: 'ERR_NC_NOT_ITERABLE', name: 'NetworkClusterError' })
  }
})

test('what is no function is refused', async () => {
  for (const fn of [undefined, null, 5, {}]) {
    const refused = new Iterator([1]).map(/** @type {any} */ (fn))
    await assert.rejects(refused, { code: 'ERR_NC_NOT_A_FUNCTION' })
  }
})

test('a function with variables of its surroundings is refused', async () => {
  const factor = 2
  await assert.rejects(
    new Iterator([1]).map((x) => x * factor),
    { code: 'ERR_NC_CAPTURED_VARIABLES', name: 'CapturedVariablesError', message: /factor/ },
  )
})

test('a function that uses its scope needs one', async () => {
  const uses = (x, scope) => scope.get('factor')
  await assert.rejects(new Iterator([1]).map(uses), { code: 'ERR_NC_NO_SCOPE' })
  await assert.rejects(
    new Iterator([1]).reduce(async (a, b, scope) => a + (await scope.get('factor')) + b),
    { code: 'ERR_NC_NO_SCOPE' },
  )
})

test('a scope is a memory', () => {
  for (const memory of [undefined, null, {}, new Map()]) {
    const use = () => new Iterator([1]).useScope(/** @type {any} */ (memory))
    assert.throws(use, { code: 'ERR_NC_INVALID_ARG', message: /useScope/ })
  }
})

test('only a manager makes a class', () => {
  for (const manager of [null, {}, 5, 'manager']) {
    const make = () => new IteratorClass(/** @type {any} */ (manager))
    assert.throws(make, { code: 'ERR_NC_INVALID_ARG', message: /IteratorClass/ })
  }
  assert.throws(() => /** @type {any} */ (IteratorClass)(), TypeError)
})

test('a signal that was aborted before ends it before it begins', async () => {
  const signal = AbortSignal.abort(new Error('not now'))
  const aborted = new Iterator([1]).map((x) => x, { signal })
  const error = await aborted.then(
    () => assert.fail('it was not aborted'),
    (reason) => reason,
  )
  assert.equal(error.name, 'AbortError')
  assert.equal(error.code, 'ABORT_ERR')
  assert.equal(error.cause.message, 'not now')
})
