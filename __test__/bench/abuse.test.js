'use strict'

// The command line and reports of the abuse benchmark, on results made up here.

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const { parse } = require('../../bench/abuse/args')
const { attacks } = require('../../bench/abuse/attacks')
const { barsOf, missedBy, outcomeText } = require('../../bench/abuse/bars')
const { readHeader, textFrame } = require('../../bench/abuse/frames')
const { table } = require('../../bench/abuse/table')
const { replaceSection } = require('../../bench/document')

const good = {
  survived: true,
  peak: 90,
  before: 60,
  after: 61,
  wait: 12.3,
  quiet: 5,
  seconds: 0.9,
  cpu: 0.5,
  outcome: { answers: 100_000, errors: 0 },
  state: {},
}

test('all attacks run by default, and some if they are named', () => {
  const settings = parse([])
  assert.deepEqual(settings.attacks, Object.keys(attacks))
  assert.equal(settings.module, 'es-networkcluster')
  const line = '--attack deep,slow --module other --reps 2 --check'
  const some = parse(line.split(' '))
  const deep = Object.keys(attacks).filter((name) => name.startsWith('deep'))
  assert.ok(deep.length > 1)
  assert.deepEqual(some.attacks, [...deep, 'slow'])
  assert.deepEqual([some.module, some.reps, some.check, some.write], ['other', 2, true, false])
})

test('what cannot be an option is refused', () => {
  const lines = ['--speed 3', '--attack none', '--attack deep,', '--reps 0', '--module']
  for (const line of [...lines, '--write --attack deep']) {
    assert.throws(() => parse(line.split(' ')), Error, line)
  }
})

test('bars are said, and what misses them', () => {
  assert.equal(barsOf('subscriptions'), 'wait < 50 ms, < 1 s')
  const report = { ...good, outcome: { answers: 100_000 } }
  assert.deepEqual(missedBy('subscriptions', report), [])
  const slow = { ...report, wait: 50, seconds: NaN, outcome: { answers: 99, 'cut off': 1 } }
  assert.deepEqual(missedBy('subscriptions', slow), [
    'wait < 50 ms: 50.0',
    '< 1 s: -',
    '99 answers, cut off',
  ])
  assert.equal(missedBy('subscriptions', { ...report, survived: false }).length, 1)
})

test('outcomes are put into words', () => {
  assert.equal(outcomeText({ answers: 100_000, errors: 0 }), '100k answers')
  assert.equal(outcomeText({ MB: 400, 'closed 1008': 1 }), '400 MB, closed 1008')
  assert.equal(outcomeText({ 'closed 4005': 10_000 }), '10.0k closed 4005')
  assert.equal(outcomeText({}), '-')
})

test('a table has a line per attack', () => {
  const reports = new Map([
    ['batch-calls', good],
    ['slow', { ...good, survived: false, wait: NaN }],
  ])
  const lines = table(reports).split('\n')
  assert.equal(lines.length, 6)
  assert.equal(new Set(lines.slice(0, 4).map((line) => line.split('|').length)).size, 1)
  assert.match(
    lines[2],
    /\| yes \| 90\.0 \(61\.0\) \| 12\.3 \| .* \| 100k answers \| wait < 100 ms \|$/,
  )
  assert.match(lines[3], /\*\*no\*\* .* † \|$/)
  assert.match(lines[5], /^† /)
})

test('frames of any size are read as they are written', () => {
  for (const length of [0, 1, 125, 126, 65535, 65536]) {
    const frame = textFrame('x'.repeat(length))
    // The mask is no part of what a server sends.
    const header = readHeader(frame, 0)
    assert.equal(header.opcode, 1)
    assert.equal(header.end - header.start, length)
  }
  assert.equal(readHeader(Buffer.from([0x81]), 0), null)
})

test('the docs have a place for the table', () => {
  const page = fs.readFileSync(path.join(__dirname, '../../docs/benchmarks.md'), 'utf8')
  assert.ok(replaceSection(page, 'abuse', 'here it is').includes('here it is'))
})
