'use strict'

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { encode, tags } = require('../../lib/values')
const { fill, page } = require('../../lib/values/page.js')
const { SharedMemoryClass } = require('../..')
const { freeUrl } = require('../memory/support/crew.js')
const { randomOf, valuesOf } = require('./random-values.js')

const ROUNDS = Number(process.env.ES_NETWORKCLUSTER_VALUES ?? 5000)
const SIZE = page.length

/** What was written, or undefined. */
function written(value) {
  const length = fill(value)
  assert.ok(length <= SIZE)
  return length < 0 ? undefined : Buffer.from(page.subarray(0, length)).toString('latin1')
}

/** A memory of its own. */
function memoryOf(t) {
  const memory = new SharedMemoryClass()
  t.after(() => memory.close())
  return memory
}

test('what is written is what JSON would have written', () => {
  let count = 0
  for (let seed = 1; seed <= ROUNDS; seed++) {
    const values = valuesOf(randomOf(seed))
    const value = seed % 2 === 0 ? values.plain(3) : values.any(3)
    if (value instanceof Uint8Array) continue
    const text = written(value)
    if (text === undefined) continue
    count++
    assert.equal(encode(value), text, `seed ${seed}`)
    assert.equal(encode.tag, fill.tag)
  }
  assert.ok(count > ROUNDS / 10, `${count} of ${ROUNDS}`)
})

test('numbers and strings are written as JSON writes them', () => {
  const numbers = [0, 1, -1, 9, 10, 11, 99, 100, -100, 0.1, 1e21, 5e-324, 2 ** 31, -(2 ** 31)]
  for (let n = 1; n <= 2 ** 52; n *= 2) numbers.push(n - 1, -n - 1, n / 3)
  assert.equal(written(numbers), JSON.stringify(numbers))
  const strings = ['', ' ', '~', 'a b', '__proto__', 'x'.repeat(48), 'x'.repeat(49)]
  assert.equal(written(strings), JSON.stringify(strings))
  for (const text of ['é', '"', '\\', '\n', '\u007f', 'a"b', '\ud800', `${'x'.repeat(50)}"`])
    for (const value of [[text], { [text]: 1 }]) assert.equal(written(value), undefined)
  const parsed = JSON.parse('{"__proto__":1,"constructor":"x","2":3,"1":4,"":[],"{":{}}')
  assert.equal(written(parsed), JSON.stringify(parsed))
})

test('what JSON does not keep is left to others', () => {
  const shared = { a: 1 }
  const cycle = { a: 1 }
  cycle.cycle = cycle
  const more = Object.assign([1], { more: 1 })
  const others = [{ a: undefined }, { a: -0 }, [NaN], [Infinity], [1n]]
  others.push(Object.assign([], { length: 1 }))
  others.push([shared, shared], cycle, { toJSON: 1 }, { a: () => 1 }, { a: Symbol('a') }, more)
  others.push(new Map([[1, 1]]), new (class A extends Array {})(1), { a: new Date(0) })
  others.push(Object.create(null), Object.assign(Object.create(null), { a: 1 }), ['漢'], 'a', 1)
  others.push(undefined, null, true, 1n, Symbol('a'), Float64Array.of(1), new ArrayBuffer(1))
  for (const value of others) assert.equal(fill(value), -1, String(value?.constructor))
  const inherited = Object.assign(Object.create({ a: 1 }), { b: 1 })
  assert.equal(fill(inherited), -1)
})

test('what is too long or too deep is left to others, up to the last byte of the page', () => {
  const nested = (depth, leaf) => (depth === 0 ? leaf : [nested(depth - 1, leaf)])
  assert.equal(written(nested(16, 1)), JSON.stringify(nested(16, 1)))
  assert.equal(written(nested(17, 1)), undefined)
  for (let length = SIZE - 300; length < SIZE + 10; length++) {
    const text = 'x'.repeat(length)
    const fillers = [text, 1.7976931348623157e308, -2147483648, false, null, '"'.repeat(30)]
    for (const filler of fillers) {
      for (const value of [nested(15, [text, filler]), { a: [text], b: filler, c: { d: 1 } }]) {
        const found = written(value)
        if (found !== undefined) assert.equal(found, JSON.stringify(value))
        else assert.ok(JSON.stringify(value).length > SIZE - 400)
      }
    }
  }
  const objects = (count) => Array.from({ length: count }, (_, a) => ({ a }))
  assert.equal(written(objects(63)), JSON.stringify(objects(63)))
  assert.equal(written(objects(64)), undefined)
})

test('getters that set something themselves, or throw, harm nobody', (t) => {
  const memory = memoryOf(t)
  const value = {
    a: 1,
    get b() {
      memory.setSync('inner', { text: 'xxxxxxxxxx' })
      memory.setSync('bytes', Uint8Array.of(1, 2, 3))
      return 2
    },
  }
  memory.setSync('outer', value)
  assert.deepEqual(memory.getSync('outer'), { a: 1, b: 2 })
  assert.deepEqual(memory.getSync('inner'), { text: 'xxxxxxxxxx' })
  assert.deepEqual(memory.getSync('bytes'), Uint8Array.of(1, 2, 3))
  const faulty = {
    a: 1,
    get b() {
      throw new Error('no')
    },
  }
  assert.throws(() => memory.setSync('outer', faulty), { code: 'ERR_NC_INVALID_VALUE' })
  assert.deepEqual(memory.getSync('outer'), { a: 1, b: 2 })
  memory.setSync('outer', { a: 2 })
  assert.deepEqual(memory.getSync('outer'), { a: 2 })
})

test('bytes of all lengths replace each other', (t) => {
  const memory = memoryOf(t)
  const all = Uint8Array.from({ length: 5000 }, (_, n) => n * 7)
  for (const length of [0, 1, 21, 22, 22, 4095, 4096, 4096, 4097, 4097, 5000, 22, 0, 4096]) {
    for (const offset of [0, 3]) {
      const bytes = all.subarray(offset, offset + length)
      memory.setSync('k', bytes)
      assert.deepEqual(memory.getSync('k'), new Uint8Array(bytes))
      memory.setSync('other', Buffer.from(bytes))
      assert.deepEqual(memory.getSync('k'), new Uint8Array(bytes))
    }
  }
  const shared = new Uint8Array(new SharedArrayBuffer(4)).fill(9)
  memory.setSync('k', shared)
  assert.deepEqual(memory.getSync('k'), Uint8Array.of(9, 9, 9, 9))
})

test('what only looks like bytes is refused as what cannot be copied is', async (t) => {
  const memory = memoryOf(t)
  const gone = new Uint8Array(4)
  structuredClone(gone.buffer, { transfer: [gone.buffer] })
  const proxy = new Proxy(new Uint8Array(4), {})
  const refused = { name: 'NetworkClusterError', code: 'ERR_NC_INVALID_VALUE' }
  for (const value of [gone, proxy, Object.create(Uint8Array.prototype)]) {
    assert.throws(() => memory.setSync('k', value), refused)
  }
  await assert.rejects(memory.set('k', proxy, { ttl: 1000 }), { ...refused, message: /a Proxy/ })
  memory.setSync('k', { a: 1 })
  assert.deepEqual(memory.getSync('k'), { a: 1 })
})

test('a value is too large by the same rule, whichever way it goes', async (t) => {
  const memory = new SharedMemoryClass(await freeUrl(), { maxValueBytes: 100 })
  t.after(() => memory.close())
  await memory.ready
  const tooLarge = { code: 'ERR_NC_VALUE_TOO_LARGE' }
  assert.throws(() => memory.setSync('k', { a: 'x'.repeat(100) }), tooLarge)
  assert.throws(() => memory.setSync('k', new Uint8Array(101)), tooLarge)
  memory.setSync('k', new Uint8Array(100))
  assert.equal(tags.BYTES, fill.tag)
})
