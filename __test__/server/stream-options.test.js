'use strict'

const assert = require('node:assert/strict')
const path = require('node:path')
const { describe, test } = require('node:test')
const { KeptChannels, check, nativeStreams } = require('../../lib/server/stream-options')

const history = { match: 'a', class: 'history' }
const REFUSED = [
  ['streams that are no array', { streams: {} }],
  ['more than 1000 patterns', { streams: numbered(1001) }],
  ['a pattern that is no object', { streams: ['a'] }],
  ['no match', { streams: [{ class: 'history' }] }],
  ['an empty match', { streams: [{ ...history, match: '' }] }],
  ['half a character', { streams: [{ ...history, match: '\ud83d*' }] }],
  ['no class', { streams: [{ match: 'a' }] }],
  ['an unknown class', { streams: [{ ...history, class: 'eternal' }] }],
  ['an unknown member', { streams: [{ ...history, presense: true }] }],
  ['a size of 0', { streams: [{ ...history, size: 0 }] }],
  ['half a message', { streams: [{ ...history, size: 1.5 }] }],
  ['an age below 0', { streams: [{ ...history, age: -1 }] }],
  ['an endless age', { streams: [{ ...history, age: Infinity }] }],
  ['no bytes', { streams: [{ ...history, bytes: 0 }] }],
  ['a presence that is neither', { streams: [{ ...history, presence: 1 }] }],
  ['a size of a plain channel', { streams: [{ match: 'a', class: 'plain', size: 1 }] }],
  ['the same name twice', { streams: [history, history] }],
  ['patterns that overlap', { streams: [{ ...history, match: 'a*' }, history] }],
  ['storage without a directory', { streams: [history], storage: {} }],
  ['no memory', { streams: [history], streamMemory: 0 }],
  ['storage without streams', { storage: { directory: 'x' } }],
  ['streamMemory without streams', { streamMemory: 1 }],
  ['a broker of the app', { streams: [], brokerEngine: {} }],
  ['a replicated channel', { streams: [{ ...history, class: 'replicated' }] }, 'CLASS_UNAVAILABLE'],
  [
    'a durable channel without storage',
    { streams: [{ ...history, class: 'durable' }] },
    'NO_STORAGE',
  ],
]

function numbered(count) {
  return Array.from({ length: count }, (_, index) => ({ match: `c${index}/*`, class: 'history' }))
}

describe('an InvalidOptionsError is', () => {
  for (const [what, options, code = 'INVALID_OPTIONS'] of REFUSED) {
    test(what, () => {
      const expected = { name: 'InvalidOptionsError', code: `ERR_${code}` }
      assert.throws(() => check(options), expected)
    })
  }
})

test('many patterns that do not overlap are accepted', () => {
  check({ streams: numbered(1000) })
})

test('nothing is told to the core without the option', () => {
  for (const streams of [undefined, null]) {
    check({ streams })
    assert.deepEqual(nativeStreams({ streams }), {})
  }
})

test('defaults are filled in for the core', () => {
  const streams = [
    { match: 'h/*', class: 'history' },
    { match: 'd', class: 'durable', size: 5, age: 1000, bytes: 10, presence: true },
    { match: 'p', class: 'plain', presence: true },
  ]
  const options = { streams, storage: { directory: 'data' }, streamMemory: 1000 }
  check(options)
  const kept = { size: 1000, age: 0, bytes: 1024 * 1024, presence: false }
  const nothing = { size: 0, age: 0, bytes: 0 }
  assert.deepEqual(nativeStreams(options), {
    streams: [
      { pattern: 'h/*', class: 'history', ...kept },
      { pattern: 'd', class: 'durable', size: 5, age: 1000, bytes: 10, presence: true },
      { pattern: 'p', class: 'plain', ...nothing, presence: true },
    ],
    storageDirectory: path.resolve('data'),
    streamMemory: 1000,
  })
  assert.deepEqual(nativeStreams({ streams: [] }), { streams: [], streamMemory: 256 * 1024 * 1024 })
})

test('channels of the classes that keep something are known', () => {
  const kept = new KeptChannels([
    { match: 'h/*', class: 'history' },
    { match: 'd', class: 'durable' },
    { match: 'p', class: 'plain' },
  ])
  const names = ['h/1', 'h/', 'd', 'p', 'h', '__proto__']
  for (let round = 0; round < 2; round++) {
    assert.deepEqual(
      names.filter((name) => kept.has(name)),
      ['h/1', 'h/', 'd'],
    )
  }
  for (let number = 0; number < 10_000; number++) assert.equal(kept.has(`h/${number}`), true)
  assert.equal(kept.has('p'), false)
})
