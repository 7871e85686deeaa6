'use strict'

const { test } = require('node:test')
const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const vm = require('node:vm')
const { frames } = require('../../lib/link')

const { Reader, Writer, TAGS, frame, split } = frames

/** Numbers below `n` that are the same every time. */
function random(seed) {
  let state = seed
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * n)
  }
}

test('what is written is read', () => {
  const bytes = new Writer(1)
    .header(0x10, 0xfffffffe)
    .u8(255)
    .u16(65535)
    .u32(0xffffffff)
    .f64(-0.5)
    .version('0123456789abcdef')
    .str('käse 🧀 \0')
    .bytes(Uint8Array.of(1, 2, 3))
    .finish()
  const { kind, id, body } = split(bytes)
  assert.deepEqual([kind, id], [0x10, 0xfffffffe])
  const reader = new Reader(body)
  assert.equal(reader.u8(), 255)
  assert.equal(reader.u16(), 65535)
  assert.equal(reader.u32(), 0xffffffff)
  assert.equal(reader.f64(), -0.5)
  assert.equal(reader.version(), '0123456789abcdef')
  assert.equal(reader.str(), 'käse 🧀 \0')
  assert.deepEqual([...reader.bytes()], [1, 2, 3])
  assert.equal(reader.left, 0)
})

const VALUES = [
  [TAGS.NUMBER, -1.5],
  [TAGS.LATIN1, 'é\x80\x9f\0' + 'x'.repeat(20000)],
  [TAGS.UTF16, '\ud800 €' + '€'.repeat(20000)],
  [TAGS.TRUE, undefined],
  [TAGS.FALSE, undefined],
  [TAGS.NULL, undefined],
  [TAGS.UNDEFINED, undefined],
  [TAGS.JSON, '{"a":"\x85"}'],
  [TAGS.JSON16, '["€"]'],
  [TAGS.STRUCTURED, Uint8Array.of(0xff, 0x0f)],
  [TAGS.BYTES, new Uint8Array(0)],
]

test('values keep every unit and byte', () => {
  const writer = new Writer()
  for (const [tag, data] of VALUES) writer.value(tag, data)
  writer.value(TAGS.NUMBERS, Float64Array.of(1, NaN))
  const reader = new Reader(writer.finish())
  for (const [tag, data] of VALUES) {
    assert.deepEqual(reader.value(), data)
    assert.equal(reader.tag, tag)
  }
  assert.deepEqual(reader.value(), new Uint8Array(Float64Array.of(1, NaN).buffer))
  assert.equal(reader.left, 0)
})

test('the same bytes without Node.js: nothing but Uint8Array and DataView is needed', () => {
  const cache = new Map()
  const context = vm.createContext({ TextEncoder, TextDecoder, Uint8Array, DataView, RangeError })
  const load = (name) => {
    if (!cache.has(name)) {
      const source = fs.readFileSync(path.join(__dirname, '../../lib/link', name), 'utf8')
      const module = { exports: {} }
      cache.set(name, module)
      const wrapped = vm.runInContext(`(function (module, require) {${source}\n})`, context)
      wrapped(module, load)
    }
    return cache.get(name).exports
  }
  const browser = load('./frames.js')
  const [ours, theirs] = [new Writer(), new browser.Writer()]
  for (const [tag, data] of VALUES) {
    ours.value(tag, data)
    theirs.value(tag, data)
  }
  const bytes = theirs.finish()
  assert.deepEqual(bytes, ours.finish())
  const reader = new browser.Reader(bytes)
  for (const [, data] of VALUES) assert.deepEqual(reader.value(), data)
})

test('any bytes are read or refused', () => {
  const below = random(7)
  const reads = ['u8', 'u16', 'u32', 'f64', 'version', 'str', 'value']
  for (let round = 0; round < 20000; round++) {
    const top = below(2) === 0 ? 256 : 14
    const bytes = Uint8Array.from({ length: below(60) }, () => below(top))
    const reader = new Reader(bytes)
    try {
      while (reader.left > 0) reader[reads[below(reads.length)]]()
    } catch (error) {
      assert.ok(error instanceof RangeError || error instanceof TypeError, String(error))
    }
  }
})

test('a length that is not there is refused', () => {
  const long = new Writer().u32(0xffffffff).finish()
  assert.throws(() => new Reader(long).str(), RangeError)
  assert.throws(() => new Reader(frame(1, 2)).bytes(6), RangeError)
  assert.throws(() => split(Uint8Array.of(1, 2, 3)), RangeError)
})
