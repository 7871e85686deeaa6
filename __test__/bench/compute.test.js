'use strict'

// The command line, bars and reports of the benchmarks of shared memory and parallel work, on results made
// up here.

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const { parse } = require('../../bench/compute/args')
const { bars, barTable, judge } = require('../../bench/compute/bars')
const { section } = require('../../bench/compute/document')
const { row } = require('../../bench/compute/figures')
const { peers, peersOf } = require('../../bench/compute/peers')
const { scenarios } = require('../../bench/compute/scenarios')
const { table } = require('../../bench/compute/table')
const { replaceSection } = require('../../bench/document')

const figures = { first: 9, ms: 2, least: 1, main: 3, cpu: 4, perSecond: 50_000_000 }

function rowOf(name, changes) {
  const runs = changes.map((each) => ({ ...figures, ...each }))
  return row({ name, title: name, ours: Boolean(peers[name].ours) }, 'less', runs)
}

test('without options everything runs and is written', () => {
  const settings = parse([])
  assert.deepEqual(settings.scenarios, Object.keys(scenarios))
  assert.deepEqual([settings.peers, settings.reps, settings.write], [null, 3, true])
  const some = parse('--scenario map,events --peers ours,single --reps 5 --check'.split(' '))
  assert.deepEqual(some.scenarios, ['map', 'events'])
  assert.deepEqual(some.peers, ['ours', 'single'])
  assert.deepEqual([some.reps, some.check, some.write], [5, true, false])
})

test('what cannot be an option is refused', () => {
  for (const line of ['--speed 3', '--scenario toString', '--peers ours,', '--reps 0', '--reps']) {
    assert.throws(() => parse(line.split(' ')), Error, line)
  }
})

test('a peer takes part in its scenarios, if what it needs is installed', () => {
  assert.deepEqual(peersOf('map', ['ours', 'lmdb', 'single']), ['ours', 'single'])
  for (const { module, scenarios: names } of Object.values(peers)) {
    for (const name of names) assert.ok(Object.hasOwn(scenarios, name))
    const places = ['pools', 'stores', 'buses'].map((it) =>
      path.join(__dirname, '../../bench/compute', it, `${module}.js`),
    )
    assert.ok(places.some((it) => fs.existsSync(it)))
  }
  const { executable } = peers.redis
  peers.redis.executable = path.join(__dirname, 'nothing')
  try {
    assert.ok(!peersOf('memory', null).includes('redis'))
    assert.ok(peersOf('memory', ['redis']).includes('redis'))
  } finally {
    peers.redis.executable = executable
  }
})

test('a row has medians, the best and the range', () => {
  const ours = rowOf('ours', [{ ms: 2 }, { ms: 4 }, { ms: 3, least: 0.5 }])
  assert.equal(ours.figures.ms, 3)
  assert.equal(ours.best.ms, 0.5)
  assert.deepEqual(ours.range.ms, [2, 4])
  const lines = table(scenarios.map, [ours, rowOf('single', [{}])]).split('\n')
  assert.equal(new Set(lines.map((line) => line.split('|').length)).size, 1)
  assert.equal(lines[2], '| **ours** | 3.00 (0.500–4.00) | 9.00 | 50.0M | 3.00 | 4.00 |')
})

test('every bar is about something that is measured', () => {
  for (const bar of bars) {
    const names = Object.keys(peers).filter((it) => peers[it].scenarios.includes(bar.scenario))
    for (const name of [...bar.ours, ...bar.than]) assert.ok(names.includes(name), bar.text)
    assert.notEqual(bar.least ?? bar.most, undefined)
  }
})

test('a bar compares with the best of the others', () => {
  const { load } = scenarios.scope
  const bar = bars.find((it) => it.scenario === 'scope')
  const rows = [
    rowOf('ours', [{ ms: 2 }]),
    rowOf('piscina', [{ ms: 90 }]),
    rowOf('piscina-chunks', [{ ms: 2.8 }]),
  ]
  const missed = judge(bar, rows, load)
  assert.ok(Math.abs(missed.ratio - 1.4) < 1e-9)
  assert.equal(missed.reached, false)
  assert.equal(judge(bar, rows.slice(0, 2), load).reached, true)
  assert.equal(judge(bar, rows.slice(0, 1), load), null)
  assert.match(barTable([missed]), /1\.40 \(1\.00\) \| \*\*no\*\* \|$/)
})

test('"at most" is about what is taken, and speed-up is per thread', () => {
  const [most, , speedUp] = bars
  const rows = [rowOf('ours', [{ ms: 2.3 }]), rowOf('single', [{ ms: 2 }])]
  assert.equal(judge(most, rows, scenarios.map.load).reached, true)
  rows[0] = rowOf('ours', [{ ms: 2.5 }])
  assert.equal(judge(most, rows, scenarios.map.load).reached, false)
  rows[1] = rowOf('single', [{ ms: 9.6 }])
  const judged = judge(bars.find((it) => it.scaled) ?? speedUp, rows, scenarios.burn.load)
  assert.ok(Math.abs(judged.ratio - 0.96) < 1e-9)
  assert.equal(judged.reached, true)
})

test('the docs have a place for everything', () => {
  const page = fs.readFileSync(path.join(__dirname, '../../docs/benchmarks.md'), 'utf8')
  for (const name of [...Object.keys(scenarios), 'bars']) {
    const changed = replaceSection(page, `compute-${name}`, 'here it is')
    assert.ok(changed.includes('here it is'), name)
  }
  const result = { rows: [rowOf('ours', [{}])], others: [0.1, 0.2] }
  assert.match(section('map', result, 'somewhere'), /compute-map\.svg[^]*<sub>somewhere<\/sub>$/)
  assert.match(section('map', { ...result, others: [2] }, 'x'), /other processes took 2\.00 CPUs/)
})
