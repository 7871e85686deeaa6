'use strict'

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { SharedMemoryClass } = require('../../lib/memory')
const { NetworkClusterError } = require('../../lib/core/network-cluster-error.js')
const { here, elsewhere } = require('./support/places.js')

const nothing = () => {}
const KEYS = [
  undefined,
  null,
  1,
  {},
  [],
  Symbol('s'),
  '',
  'x'.repeat(1025),
  '漢'.repeat(342),
  '\ud800',
  'a\udc00',
]
const CIRCLE = { fn: nothing }
CIRCLE.self = CIRCLE

/** A call that must fail, and its code. */
const TABLE = [
  ...KEYS.flatMap((key) => [
    [(m) => m.get(key), 'ERR_NC_INVALID_KEY'],
    [(m) => m.getEntry(key), 'ERR_NC_INVALID_KEY'],
    [(m) => m.getMany(['a', key]), 'ERR_NC_INVALID_KEY'],
    [(m) => m.has(key), 'ERR_NC_INVALID_KEY'],
    [(m) => m.delete(key), 'ERR_NC_INVALID_KEY'],
    [(m) => m.increment(key), 'ERR_NC_INVALID_KEY'],
    [(m) => m.compareAndSet(key, undefined, 1), 'ERR_NC_INVALID_KEY'],
    [(m) => m.update(key, () => 1), 'ERR_NC_INVALID_KEY'],
    [(m) => m.runOnKey(key, () => 1), 'ERR_NC_INVALID_KEY'],
    [(m) => m.lock(key), 'ERR_NC_INVALID_KEY'],
    [(m) => m.transaction((tx) => tx.get(key)), 'ERR_NC_INVALID_KEY'],
  ]),
  ...KEYS.filter((key) => typeof key !== 'object' || key === null).map((key) => [
    (m) => m.set(key, 1),
    'ERR_NC_INVALID_KEY',
  ]),
  ...[nothing, Symbol('s'), CIRCLE, new WeakMap(), [1, [nothing]], Promise.resolve()].flatMap(
    (value) => [
      [(m) => m.set('bad', value), 'ERR_NC_INVALID_VALUE'],
      [(m) => m.set('bad', value, { ttl: 1000 }), 'ERR_NC_INVALID_VALUE'],
      [(m) => m.set({ good: 1, bad: value }), 'ERR_NC_INVALID_VALUE'],
      [(m) => m.compareAndSet('bad', undefined, value), 'ERR_NC_INVALID_VALUE'],
      [
        (m) => m.update('bad', () => (value instanceof Promise ? nothing : value)),
        'ERR_NC_INVALID_VALUE',
      ],
      [(m) => m.transaction((tx) => tx.set('bad', value)), 'ERR_NC_INVALID_VALUE'],
      [(m) => m.runOnKey('bad', () => 1, value), 'ERR_NC_INVALID_VALUE'],
    ],
  ),
  ...[0, -1, 0.5, NaN, Infinity, 1e300, '1', null].flatMap((ms) => [
    [(m) => m.set('bad', 1, { ttl: ms }), 'ERR_NC_INVALID_ARG'],
    [(m) => m.set({ bad: 1 }, { ttl: ms }), 'ERR_NC_INVALID_ARG'],
    [(m) => m.lock('bad', { leaseTime: ms }), 'ERR_NC_INVALID_ARG'],
  ]),
  ...[NaN, Infinity, '1', null, 1n].map((by) => [
    (m) => m.increment('bad', by),
    'ERR_NC_INVALID_ARG',
  ]),
  ...['', 'x', 1, null, '0'.repeat(15), 'A'.repeat(16)].flatMap((version) => [
    [(m) => m.compareAndSet('bad', version, 1), 'ERR_NC_INVALID_ARG'],
    [(m) => m.set('bad', 1, { ifVersion: version }), 'ERR_NC_INVALID_ARG'],
  ]),
  [(m) => m.set('bad', 1, { tll: 1 }), 'ERR_NC_INVALID_ARG'],
  [(m) => m.set('bad', 1, null), 'ERR_NC_INVALID_ARG'],
  [(m) => m.set('bad', 1, 5), 'ERR_NC_INVALID_ARG'],
  [(m) => m.set('bad', 1, { ifAbsent: 1 }), 'ERR_NC_INVALID_ARG'],
  [(m) => m.set('bad', 1, { ifAbsent: true, ifVersion: '0'.repeat(16) }), 'ERR_NC_INVALID_ARG'],
  [(m) => m.set('bad', 1, { signal: {} }), 'ERR_NC_INVALID_ARG'],
  [(m) => m.set({ bad: 1 }, { ifVersion: 'f'.repeat(16) }), 'ERR_NC_INVALID_ARG'],
  [(m) => m.set(['bad']), 'ERR_NC_INVALID_ARG'],
  [(m) => m.set(new Map([['bad', 1]])), 'ERR_NC_INVALID_ARG'],
  [(m) => m.set(new Set(['bad'])), 'ERR_NC_INVALID_ARG'],
  [(m) => m.transaction((tx) => tx.set(['bad'])), 'ERR_NC_INVALID_ARG'],
  [(m) => m.transaction((tx) => tx.set({ '': 1 })), 'ERR_NC_INVALID_KEY'],
  [(m) => m.set({ '': 1 }), 'ERR_NC_INVALID_KEY'],
  [(m) => m.getMany('bad'), 'ERR_NC_INVALID_ARG'],
  [(m) => m.getMany(), 'ERR_NC_INVALID_ARG'],
  [(m) => m.getMany(Array(65_536).fill('a')), 'ERR_NC_INVALID_ARG'],
  [(m) => m.update('bad'), 'ERR_NC_NOT_A_FUNCTION'],
  [(m) => m.update('bad', nothing, { signal: 1 }), 'ERR_NC_INVALID_ARG'],
  [(m) => m.transaction(), 'ERR_NC_NOT_A_FUNCTION'],
  [(m) => m.transaction(nothing, { retries: -1 }), 'ERR_NC_INVALID_ARG'],
  [(m) => m.transaction(nothing, { retires: 1 }), 'ERR_NC_INVALID_ARG'],
  [(m) => m.lock('bad', { signal: 'x' }), 'ERR_NC_INVALID_ARG'],
  [(m) => m.runOnKey('bad'), 'ERR_NC_NOT_A_FUNCTION'],
  [(m) => m.runOnKey('bad', 'no function at all {'), 'ERR_NC_FUNCTION_SOURCE'],
  [(m) => m.runOnKey('bad', () => nothing()), 'ERR_NC_CAPTURED_VARIABLES'],
  [(m) => m.runOnKey('bad', Math.max), 'ERR_NC_FUNCTION_SOURCE'],
  [(m) => m.runOnKey('bad', () => () => 1), 'ERR_NC_UNSERIALIZABLE_RESULT'],
  [(m) => m.runOnKey('bad', (entry) => void (entry.value = () => 1)), 'ERR_NC_INVALID_VALUE'],
]

/** The same of what is called at once. */
const SYNC_TABLE = [
  ...KEYS.filter((key) => typeof key !== 'object' || key === null).map((key) => [
    (m) => m.watch(key),
    'ERR_NC_INVALID_KEY',
  ]),
  [(m) => m.watch({}), 'ERR_NC_INVALID_ARG'],
  [(m) => m.watch({ prefix: 1 }), 'ERR_NC_INVALID_ARG'],
  [(m) => m.watch({ prefix: 'x'.repeat(1025) }), 'ERR_NC_INVALID_KEY'],
  [(m) => m.watch({ prefix: '\ud800' }), 'ERR_NC_INVALID_KEY'],
  [(m) => m.watch({ prefix: '', suffix: '' }), 'ERR_NC_INVALID_ARG'],
  [(m) => m.watch('a', { since: 1 }), 'ERR_NC_INVALID_ARG'],
  [(m) => m.watch('a', { signal: 1 }), 'ERR_NC_INVALID_ARG'],
  [(m) => m.keys({ prefix: 1 }), 'ERR_NC_INVALID_ARG'],
  [(m) => m.keys('a'), 'ERR_NC_INVALID_ARG'],
  [(m) => m.entries({ perfix: 'a' }), 'ERR_NC_INVALID_ARG'],
]

const CONSTRUCTORS = [
  [['nonsense'], 'ERR_NC_INVALID_URL'],
  [[5], 'ERR_NC_INVALID_URL'],
  [[null], 'ERR_NC_INVALID_URL'],
  [['http://example.com:80'], 'ERR_NC_INVALID_URL'],
  [['https://localhost:1'], 'ERR_NC_INVALID_URL'],
  [['ftp://localhost:1'], 'ERR_NC_INVALID_URL'],
  [[undefined, 5], 'ERR_NC_INVALID_ARG'],
  [[undefined, null], 'ERR_NC_INVALID_ARG'],
  [[undefined, { nearcache: true }], 'ERR_NC_INVALID_ARG'],
  [[undefined, { nearCache: 5 }], 'ERR_NC_INVALID_ARG'],
  [[undefined, { nearCache: { maxEntries: 0 } }], 'ERR_NC_INVALID_ARG'],
  [[undefined, { nearCache: { most: 1 } }], 'ERR_NC_INVALID_ARG'],
  [[undefined, { serializer: 'xml' }], 'ERR_NC_INVALID_ARG'],
  [[undefined, { maxBytes: 0 }], 'ERR_NC_INVALID_ARG'],
  [[undefined, { maxValueBytes: 2 ** 40 }], 'ERR_NC_INVALID_ARG'],
  [[undefined, { host: 'me' }], 'ERR_NC_INVALID_ARG'],
  [[undefined, { connectTimeout: 0 }], 'ERR_NC_INVALID_ARG'],
  [[undefined, { token: '' }], 'ERR_NC_INVALID_ARG'],
  ...[
    true,
    null,
    './directory',
    {},
    { directory: '' },
    { directory: 5 },
    { directory: 'a\0b' },
  ].map((durable) => [[undefined, { durable }], 'ERR_NC_INVALID_ARG']),
  [[undefined, { durable: { directory: 'a', path: 'b' } }], 'ERR_NC_INVALID_ARG'],
]

function expected(code) {
  return (error) => {
    assert.ok(error instanceof NetworkClusterError, `${error?.stack}`)
    assert.equal(error.code, code)
    assert.notEqual(error.message, '')
    return true
  }
}

for (const [name, open] of [
  ['in this process', here],
  ['in another process', elsewhere],
]) {
  test(`a memory ${name} refuses what makes no sense, and nothing is lost or left`, async (t) => {
    const memory = await open(t)
    await memory.set('keep', [1])
    const before = await memory.stats()
    for (const [call, code] of TABLE) {
      let promise
      assert.doesNotThrow(() => (promise = call(memory)), String(call))
      await assert.rejects(promise, expected(code), String(call))
      assert.equal(await memory.has('bad'), false, String(call))
    }
    for (const [call, code] of SYNC_TABLE)
      assert.throws(() => call(memory), expected(code), String(call))
    assert.deepEqual(await memory.get('keep'), [1])
    assert.deepEqual(await memory.stats(), before)
  })
}

test('of several values, the one that cannot be stored is named', async (t) => {
  const memory = await here(t)
  await assert.rejects(memory.set({ good: 1, bad: { list: [nothing] } }), {
    code: 'ERR_NC_INVALID_VALUE',
    message: 'of the key "bad", value.list[0] is a function, which cannot be stored',
  })
})

test('what makes no sense at once is thrown', async (t) => {
  const memory = await here(t)
  for (const key of KEYS) {
    assert.throws(() => memory.getSync(key), expected('ERR_NC_INVALID_KEY'))
    assert.throws(() => memory.setSync(key, 1), expected('ERR_NC_INVALID_KEY'))
  }
  assert.throws(() => memory.setSync('bad', nothing), expected('ERR_NC_INVALID_VALUE'))
  assert.throws(() => memory.setSync('bad', 1, { ttl: 0 }), expected('ERR_NC_INVALID_ARG'))
  assert.equal(memory.getSync('bad'), undefined)
})

for (const [args, code] of CONSTRUCTORS) {
  test(`no memory of ${JSON.stringify(args)}`, () => {
    assert.throws(() => new SharedMemoryClass(...args), expected(code))
  })
}

test('a signal that was aborted stops what has not begun', async (t) => {
  const memory = await here(t)
  const signal = AbortSignal.abort(new RangeError('mine'))
  for (const call of [
    () => memory.set('aborted', 1, { signal }),
    () => memory.set({ aborted: 1 }, { signal }),
    () => memory.lock('aborted', { signal }),
    () => memory.update('aborted', () => 1, { signal }),
    () => memory.watch('aborted', { signal }).next(),
  ]) {
    await assert.rejects(call(), { name: 'RangeError', message: 'mine' })
  }
  assert.equal(await memory.has('aborted'), false)
})

test('values and memories have a size', async (t) => {
  const { child, freeUrl } = require('./support/crew.js')
  const url = await freeUrl()
  const owner = await child({ url, options: { maxValueBytes: 1000, maxBytes: 100_000 } })
  t.after(() => owner.end())
  const memory = new SharedMemoryClass(url, { host: 'never' })
  t.after(() => memory.close())
  await memory.set('a', 'x'.repeat(1000))
  const large = { code: 'ERR_NC_VALUE_TOO_LARGE' }
  await assert.rejects(memory.set('a', 'x'.repeat(1001)), large)
  await assert.rejects(memory.set('a', '漢'.repeat(501)), large)
  await assert.rejects(memory.set('a', new Uint8Array(1001)), large)
  await assert.rejects(memory.set({ b: 1, a: ['x'.repeat(1000)] }), large)
  assert.equal(await memory.has('b'), false)
  assert.equal(await memory.get('a'), 'x'.repeat(1000))
  let full
  for (let i = 0; full === undefined && i < 1000; i++) {
    full = await memory.set(`fill ${i}`, 'x'.repeat(1000)).then(nothing, (error) => error)
  }
  assert.equal(full.code, 'ERR_NC_VALUE_TOO_LARGE')
  assert.match(full.message, /full/)
  assert.equal(await memory.delete('a'), true)
  await memory.set('again', 'x'.repeat(500))
})
