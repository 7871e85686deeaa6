'use strict'

const { test } = require('node:test')
const assert = require('node:assert/strict')
const shortText = require('../../lib/events/short.js')

const object = { a: 1 }
class Own {
  a = 1
}

/** @type {[string, unknown[]][]} */
const kept = [
  ['nothing', []],
  ['primitives', [1, -1.5, 1e300, 1e-7, 2 ** 53, '', 'ä€', true, false, null]],
  ['an object', [{ id: 5, name: 'changed', at: 1_700_000_000_000, on: null }]],
  ['one between others', [1, {}, 'b']],
  ['keys that are escaped', [{ 'a"\n': 1, 5: 2, '': 3, ünï: 4 }]],
  ['a key __proto__', [JSON.parse('{"__proto__":1,"a":2}')]],
  ['one that inherits nothing of its own', [Object.create(Object.prototype, { b: { value: 1 } })]],
  ['an accessor', [{ get: 1, get a() { return 2 } }]], // prettier-ignore
]

/** @type {[string, unknown[]][]} */
const left = [
  ['undefined', [undefined]],
  ['-0', [-0]],
  ['NaN', [NaN]],
  ['Infinity', [{ a: Infinity }]],
  ['a bigint', [1n]],
  ['a symbol', [Symbol('a')]],
  ['a function', [() => {}]],
  ['a quote', ['"']],
  ['a line feed', [{ a: '\n' }]],
  ['half a character', ['\ud800']],
  ['a long string', ['x'.repeat(1000)]],
  ['a list', [[1]]],
  ['a list in an object', [{ a: [1] }]],
  ['an object in an object', [{ a: {} }]],
  ['the same object twice', [object, object]],
  ['a Date', [new Date(5)]],
  ['a Map', [new Map()]],
  ['bytes', [new Uint8Array(2)]],
  ['an error', [new Error('a')]],
  ['an object of a class', [new Own()]],
  ['one without a prototype', [Object.create(null)]],
  ['toJSON', [{ toJSON: () => 5 }]],
  ['an undefined property', [{ a: undefined }]],
]

for (const [what, args] of kept) {
  test(`written at once: ${what}`, () => {
    const text = shortText(args)
    assert.equal(text, JSON.stringify(args))
    assert.deepStrictEqual(JSON.parse(text), structuredClone(args))
  })
}

for (const [what, args] of left) {
  test(`left to others: ${what}`, () => assert.equal(shortText(args), undefined))
}

test('more keys than are remembered', () => {
  for (let i = 0; i < 3000; i++) {
    const args = [{ [`key ${i}`]: i }]
    assert.equal(shortText(args), JSON.stringify(args))
  }
})
