'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { matcher, overlap } = require('../../lib/server/globs')

const MATCHES = [
  ['orders', ['orders'], ['order', 'orders/1', '']],
  ['orders/*', ['orders/', 'orders/1', 'orders/1/2'], ['orders', 'x/orders/1']],
  ['*', ['', 'a', '*'], []],
  ['*/log', ['/log', 'a/log', 'a/b/log'], ['log', 'a/log/']],
  ['a*a', ['aa', 'aba', 'aaa'], ['a', 'ab']],
  ['a*b*c', ['abc', 'axbxc', 'abbcc', 'abcbc'], ['acb', 'ab', 'ac']],
  ['*ab*ab*', ['abab', 'xabxabx'], ['ab', 'aab', 'aba']],
  ['a**b', ['ab', 'a*b'], ['a', 'b']],
  ['a.c', ['a.c'], ['abc']],
]

for (const [pattern, yes, no] of MATCHES) {
  test(`'${pattern}' matches what it stands for`, () => {
    const matches = matcher(pattern)
    assert.deepEqual([...yes, ...no].filter(matches), yes)
  })
}

test('a pattern with many stars takes no time to speak of', () => {
  const matches = matcher(`${'*a'.repeat(2000)}b`)
  assert.equal(matches('a'.repeat(100_000)), false)
})

/** All texts of at most so many letters. */
function texts(letters, longest) {
  const all = ['']
  for (let from = 0, length = 1; length <= longest; length++) {
    const end = all.length
    for (; from < end; from++) for (const letter of letters) all.push(all[from] + letter)
  }
  return all
}

test('two patterns overlap just if a name matches both', () => {
  const patterns = texts(['a', 'b', '*'], 4)
  const names = texts(['a', 'b'], 6)
  const matched = new Map(patterns.map((each) => [each, new Set(names.filter(matcher(each)))]))
  for (const a of patterns) {
    for (const b of patterns) {
      const [first, second] = [matched.get(a), matched.get(b)]
      const common = [...first].some((name) => second.has(name))
      assert.equal(overlap(a, b), common, `${a} and ${b}`)
    }
  }
})
