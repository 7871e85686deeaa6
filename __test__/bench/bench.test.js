'use strict'

// The benchmarks' command line and reports, on results made up here.

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const { parse } = require('../../bench/args')
const { chart } = require('../../bench/chart')
const { expand } = require('../../bench/cpus')
const { replaceSection, section } = require('../../bench/document')
const { faultsOf, median, row } = require('../../bench/figures')
const { short } = require('../../bench/numbers')
const { command, peers, peersOf } = require('../../bench/peers')
const { scenarios } = require('../../bench/scenarios')
const { table } = require('../../bench/table')

const noFaults = { lost: 0, duplicated: 0, reordered: 0, strange: 0, ended: 0 }

function run(perSecond, changes = {}) {
  const figures = { perSecond, cpuPerMillion: 0.4, p50: 9, p99: 20.04, p999: 30, rss: 70 }
  return { figures: { ...figures, busiest: 0.3, ...changes }, faults: noFaults }
}

function rows() {
  const ours = { name: 'ours', title: 'ours & <co>', ours: true }
  const reference = { name: 'socketcluster', title: 'socketcluster-server 20', ours: false }
  return [
    row(ours, [run(2_000_000), run(3_000_000), run(1_000_000)]),
    row(reference, [run(40_000, { busiest: 0.99 })]),
  ]
}

test('without options everything runs and is written', () => {
  const settings = parse([])
  assert.deepEqual(settings.scenarios, Object.keys(scenarios))
  assert.equal(settings.peers, null)
  assert.equal(settings.write, true)
})

test('options choose a part, which is written only if asked for', () => {
  const line = '--scenario fanout,rpc --peers ours,bun --reps 5 --seconds 1.5 --servers-cpus 0,1'
  const settings = parse(line.split(' '))
  assert.deepEqual(settings.scenarios, ['fanout', 'rpc'])
  assert.deepEqual(settings.peers, ['ours', 'bun'])
  assert.equal(settings.reps, 5)
  assert.equal(settings.seconds, 1.5)
  assert.equal(settings.serversCpus, '0,1')
  assert.equal(settings.write, false)
  assert.equal(parse(['--reps', '1', '--write']).write, true)
})

test('what cannot be an option is refused', () => {
  for (const line of [
    '--speed 3',
    '--scenario toString',
    '--peers ours,',
    '--reps 0',
    '--reps',
    '--seconds 0',
    '--seconds 60',
    '--clients-cpus all',
  ]) {
    assert.throws(() => parse(line.split(' ')), Error, line)
  }
})

test('a peer can be for some scenarios only, unless it is asked for', () => {
  assert.ok(!peersOf('fanout', null).includes('ours-listen'))
  assert.ok(peersOf('idle', null).includes('ours-listen'))
  assert.deepEqual(peersOf('fanout', ['ours-listen']), ['ours-listen'])
  for (const peer of Object.values(peers)) {
    assert.ok(fs.existsSync(path.join(__dirname, '../../bench/peers', peer.script)))
  }
})

test('what is not installed is left out, unless it is asked for', () => {
  const { executable } = peers.nats
  peers.nats.executable = path.join(__dirname, 'nothing')
  try {
    assert.deepEqual(peersOf('durable-publish', null), ['ours-durable'])
    assert.throws(() => command(peers[peersOf('durable-publish', ['nats'])[0]]), /not installed/)
  } finally {
    peers.nats.executable = executable
  }
})

test('kept channels are compared with plain ones, by CPU time', () => {
  assert.ok(!peersOf('fanout', null).includes('ours-history'))
  assert.deepEqual(peersOf('replay', null), ['ours-history', 'ours-durable'])
  const plain = { name: 'ours', title: 'plain', ours: true }
  const history = { name: 'ours-history', title: 'history', ours: true }
  const both = [row(plain, [run(1)]), row(history, [run(1, { cpuPerMillion: 0.44 })])]
  const lines = table(scenarios['history-fanout'], both).split('\n')
  assert.match(lines[0], /CPU, × plain/)
  assert.match(lines[3], /\| 1\.10 \|/)
})

test('lists of CPUs are expanded', () => {
  assert.deepEqual(expand('0,2-4'), [0, 2, 3, 4])
})

test('numbers keep three digits', () => {
  const numbers = [3_021_000, 54_090, 1234, 554.4, 99.96, 17.34, 1.005, 0.3324, 0, NaN]
  const texts = ['3.02M', '54.1k', '1234', '554', '100', '17.3', '1.00', '0.332', '0.000', '-']
  assert.deepEqual(numbers.map(short), texts)
})

test('a row has medians and the range', () => {
  assert.equal(median([3, 1, 2]), 2)
  assert.equal(median([4, 1, 2, 3]), 2.5)
  const [ours, reference] = rows()
  assert.equal(ours.figures.perSecond, 2_000_000)
  assert.deepEqual(ours.range, [1_000_000, 3_000_000])
  assert.equal(ours.limited, false)
  assert.equal(reference.limited, true)
})

test('faults are named', () => {
  assert.equal(faultsOf(run(1)), '')
  const faults = { ...noFaults, lost: 3, ended: 1 }
  assert.equal(faultsOf({ faults }), '3 messages lost, 1 connections lost')
})

test('a table has a line per server', () => {
  const lines = table(scenarios.fanout, rows()).split('\n')
  assert.equal(lines.length, 6)
  assert.ok(lines.slice(0, 4).every((line) => line.split('|').length === 10))
  assert.equal(
    lines[2],
    '| **ours & <co>** | 2.00M (1.00M–3.00M) | 50.0 | 0.400 | 9.00 | 20.0 | 30.0 | 70.0 |',
  )
  assert.match(lines[3], /40\.0k † /)
  assert.match(lines[5], /^† /)
})

test('a table without the reference has no ratios', () => {
  const lines = table(scenarios.fanout, rows().slice(0, 1)).split('\n')
  assert.match(lines[2], /\| - \|/)
  assert.equal(lines.length, 3)
})

test('a chart has a bar per server and panel, of the right length', () => {
  const svg = chart(scenarios.fanout, rows())
  assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/)
  const widths = [...svg.matchAll(/<rect [^>]*width="([\d.]+)"/g)].map((match) => Number(match[1]))
  assert.equal(widths.length, 4)
  assert.ok(Math.abs(widths[0] / widths[1] - 50) < 1)
  assert.equal(widths[2], widths[3])
  assert.match(svg, /ours &amp; &lt;co&gt;/)
  assert.match(svg, /prefers-color-scheme: dark/)
})

test('a section replaces the one before, and only that', () => {
  const before = 'a\n<!-- generated: x -->\nold\n<!-- end: x -->\nb'
  const once = replaceSection(before, 'x', 'new')
  assert.equal(once, 'a\n<!-- generated: x -->\n\nnew\n\n<!-- end: x -->\nb')
  assert.equal(replaceSection(once, 'x', 'new'), once)
  assert.throws(() => replaceSection(before, 'y', 'new'), /no place for y/)
})

test('a section says if something else kept the machine busy', () => {
  const busy = [row({ name: 'ours', title: 'ours', ours: true }, [run(1, { others: 2.104 })])]
  const remark = 'other processes took 2.10 CPUs meanwhile'
  assert.ok(section('fanout', busy, 'today').includes(`<sub>today · ${remark}</sub>`))
  assert.ok(section('fanout', rows(), 'today').includes('<sub>today</sub>'))
})

test('the docs have a place for every scenario', () => {
  const page = fs.readFileSync(path.join(__dirname, '../../docs/benchmarks.md'), 'utf8')
  for (const name of Object.keys(scenarios)) {
    const text = section(name, rows(), 'today')
    assert.ok(replaceSection(page, name, text).includes(`benchmarks/${name}.svg`))
  }
})
