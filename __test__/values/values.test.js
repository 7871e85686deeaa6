'use strict'

const { test } = require('node:test')
const assert = require('node:assert/strict')
const {
  encode,
  decode,
  encodeItems,
  decodeItems,
  encodeBytes,
  toBuffer,
  fromBuffer,
  tags,
} = require('../../lib/values')
const { NetworkClusterError } = require('../../lib/core/network-cluster-error.js')
const { randomOf, valuesOf } = require('./random-values.js')

const ROUNDS = Number(process.env.ES_NETWORKCLUSTER_VALUES ?? 5000)

function roundTrip(value) {
  const data = encode(value)
  return decode(encode.tag, data)
}

/** Strictly equal also in what deepStrictEqual passes over: identities, and the buffers of views. */
function assertClone(actual, expected, hint) {
  assert.deepStrictEqual(actual, expected, hint)
  assert.equal(shape(actual), shape(expected), hint)
}

/** Which objects are met again where, as text. */
function shape(root) {
  const seen = new Map()
  const walk = (value) => {
    if (typeof value !== 'object' || value === null) return ''
    if (seen.has(value)) return `#${seen.get(value)}`
    seen.set(value, seen.size)
    const members =
      value instanceof Map ? [...value].flat() : value instanceof Set ? [...value] : []
    if (ArrayBuffer.isView(value)) return `<${Object.getPrototypeOf(value)[Symbol.toStringTag]}>`
    for (const key of Object.keys(value)) members.push(value[key])
    return `(${Object.prototype.toString.call(value)}${members.map(walk).join(',')})`
  }
  return walk(root)
}

test('a value comes back as structuredClone would copy it', () => {
  for (let seed = 1; seed <= ROUNDS; seed++) {
    const value = valuesOf(randomOf(seed)).any(4)
    const expected = structuredClone(value)
    assertClone(roundTrip(value), expected, `seed ${seed}`)
    assertClone(fromBuffer(toBuffer(value)), expected, `seed ${seed}, as bytes`)
  }
})

test('plain values travel as JSON text', () => {
  let text = 0
  for (let seed = 1; seed <= ROUNDS; seed++) {
    const value = valuesOf(randomOf(seed)).plain(4)
    assertClone(roundTrip(value), structuredClone(value), `seed ${seed}`)
    if (encode.tag === tags.JSON) text++
  }
  assert.ok(text > ROUNDS / 4, `${text} of ${ROUNDS}`)
})

test('items come back as structuredClone would copy them', () => {
  for (let seed = 1; seed <= ROUNDS / 5; seed++) {
    const values = valuesOf(randomOf(seed))
    const items = Array.from({ length: seed % 7 }, () =>
      seed % 2 === 0 ? values.plain(2) : values.any(2),
    )
    const { tag, data } = encodeItems(items)
    assertClone([...decodeItems(tag, data)], structuredClone(items), `seed ${seed}`)
  }
})

test('numbers alone travel as numbers', () => {
  const items = [1, -0, NaN, Infinity, 0.1]
  const { tag, data } = encodeItems(items)
  assert.equal(tag, tags.NUMBERS)
  assert.deepStrictEqual(data, Float64Array.from(items))
  // Bytes of a stream are seldom where a Float64Array could begin.
  const bytes = new Uint8Array(1 + items.length * 8)
  bytes.set(new Uint8Array(data.buffer), 1)
  assert.deepStrictEqual(decodeItems(tag, bytes.subarray(1)), Float64Array.from(items))
  assert.equal(encodeItems([]).tag, tags.NUMBERS)
  assert.equal(encodeItems([1, '1']).tag, tags.JSON)
  assert.equal(encodeItems([1, 1n]).tag, tags.STRUCTURED)
})

test('every kind has its tag, in a process and as bytes', () => {
  const table = [
    [1.5, 'NUMBER', 'NUMBER'],
    ['é', 'LATIN1', 'LATIN1'],
    ['漢', 'LATIN1', 'UTF16'],
    [true, 'TRUE', 'TRUE'],
    [false, 'FALSE', 'FALSE'],
    [null, 'NULL', 'NULL'],
    [undefined, 'UNDEFINED', 'UNDEFINED'],
    [{ a: ['é'] }, 'JSON', 'JSON'],
    [{ a: ['漢'] }, 'JSON', 'JSON16'],
    [{ a: new Date(0) }, 'STRUCTURED', 'STRUCTURED'],
    [1n, 'STRUCTURED', 'STRUCTURED'],
    [{ a: undefined }, 'STRUCTURED', 'STRUCTURED'],
    [{ a: -0 }, 'STRUCTURED', 'STRUCTURED'],
    [[NaN], 'STRUCTURED', 'STRUCTURED'],
    [Buffer.from('x'), 'BYTES', 'BYTES'],
    [Float64Array.of(1), 'STRUCTURED', 'STRUCTURED'],
  ]
  for (const [value, local, sent] of table) {
    encode(value)
    assert.equal(encode.tag, tags[local])
    encodeBytes(value)
    assert.equal(encode.tag, tags[sent])
  }
})

test('text of 1 MiB keeps its characters', () => {
  for (const unit of ['a', 'é', '漢', '😀']) {
    const text = unit.repeat(1 << 20)
    assert.equal(fromBuffer(toBuffer(text)), text)
    assert.deepStrictEqual(fromBuffer(toBuffer([text])), [text])
  }
})

test('a view brings its own bytes only', () => {
  const large = new ArrayBuffer(1 << 20)
  const { part } = roundTrip({ part: new Uint16Array(large, 64, 4) })
  assert.equal(part.buffer.byteLength, 8)
  const bytes = fromBuffer(
    Buffer.concat([toBuffer(Buffer.from('xyz')), Buffer.alloc(9)]).subarray(0, 4),
  )
  assert.equal(bytes.buffer.byteLength, 3)
  assert.equal(Buffer.isBuffer(bytes), false)
})

test('arrays and objects of 65 levels, in circles, and wide ones', () => {
  let deep = []
  for (let level = 0; level < 200; level++) deep = [deep]
  assertClone(roundTrip(deep), structuredClone(deep))
  assert.equal(encode.tag, tags.STRUCTURED)
  const circle = { name: 'a' }
  circle.self = [circle]
  assertClone(roundTrip(circle), structuredClone(circle))
  const wide = Array.from({ length: 100 }, (_, i) => ({ i }))
  assertClone(roundTrip(wide), wide)
  assert.equal(encode.tag, tags.JSON)
  wide.push(wide[3])
  assertClone(roundTrip(wide), structuredClone(wide))
  assert.equal(encode.tag, tags.STRUCTURED)
})

test('what cannot be copied is refused, with its path', () => {
  const table = [
    [() => 1, /^value is a function/],
    [Symbol('s'), /^value is a symbol/],
    [{ list: [1, 2, 3, { fn() {} }] }, /^value\.list\[3\]\.fn is a function/],
    [{ 'a b': { run: async () => 1 } }, /^value\["a b"\]\.run is an async function/],
    [new Map([['k', Symbol('s')]]), /^value\.get\("k"\) is a symbol/],
    [new Set([1, () => 1]), /^value\.values\(\)\[1\] is a function/],
    [{ p: Promise.resolve() }, /^value\.p is a Promise/],
    [{ p: new WeakMap() }, /^value\.p is a WeakMap/],
    [{ p: new SharedArrayBuffer(1) }, /^value\.p is a SharedArrayBuffer/],
    [{ d: 1n, p: new Proxy({}, {}) }, /^value\.p is a Proxy/],
    [{ b: new Blob([]) }, /^the value cannot be stored: /],
    [
      {
        get bad() {
          throw new RangeError('mine')
        },
      },
      /^the value cannot be stored: mine/,
    ],
  ]
  for (const [value, message] of table) {
    for (const encoder of [encode, toBuffer]) {
      assert.throws(
        () => encoder(value),
        (error) => {
          assert.ok(error instanceof NetworkClusterError)
          assert.equal(error.code, 'ERR_NC_INVALID_VALUE')
          assert.match(error.message, message)
          return true
        },
      )
    }
  }
  // Nothing of that is left behind.
  assert.deepStrictEqual(roundTrip({ a: 1 }), { a: 1 })
  assert.equal(encode.tag, tags.JSON)
})

test('a getter that stores another value meanwhile does no harm', () => {
  const value = {
    get inner() {
      return roundTrip({ a: [1] })
    },
  }
  assert.deepStrictEqual(roundTrip(value), { inner: { a: [1] } })
})

test('what deepStrictEqual cannot compare', () => {
  const { date, part } = roundTrip({
    date: new Date(NaN),
    part: new DataView(Uint8Array.of(1, 2, 3).buffer, 1, 2),
  })
  assert.ok(Number.isNaN(date.getTime()))
  assert.equal(part.getUint16(0), 0x0203)
})

test('damaged bytes are told', () => {
  const table = [[], [99], [1, 2], [8, 0x7b], [10, 1, 2, 3], [12, 1], [0xff]]
  for (const bytes of table) {
    assert.throws(() => fromBuffer(Uint8Array.from(bytes)), { code: 'ERR_NC_INVALID_VALUE' })
  }
  const random = randomOf(7)
  for (let i = 0; i < 2000; i++) {
    const bytes = Uint8Array.from({ length: 1 + Math.floor(random() * 40) }, () =>
      Math.floor(random() * 256),
    )
    bytes[0] = 1 + (i % 13)
    try {
      fromBuffer(bytes)
    } catch (error) {
      assert.equal(error.code, 'ERR_NC_INVALID_VALUE')
    }
  }
})

test('bytes that other threads can write to are copied', () => {
  const shared = new Uint8Array(new SharedArrayBuffer(8), 2, 3).fill(7)
  const data = encode(shared)
  assert.equal(encode.tag, tags.BYTES)
  shared.fill(0)
  assert.deepEqual(data, Uint8Array.of(7, 7, 7))
  const own = Uint8Array.of(1)
  assert.equal(encode(own), own)
})
