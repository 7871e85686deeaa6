'use strict'

// What es-networkcluster has to reach beside the others of the same run.

const { short } = require('../numbers')

/**
 * @typedef {object} Bar
 * @property {string} scenario
 * @property {string} text
 * @property {string[]} ours peers: the first that was measured counts
 * @property {string[]} than peers: the best of them counts
 * @property {string} figure
 * @property {'more' | 'less'} better whether more of the figure is
 * @property {number} [least] how many times as good
 * @property {number} [most] how much of what the others take
 * @property {(ratio: number, load: Record<string, any>) => number} [scaled] of the ratio
 */

const getSet = (verb, kinds, peer, ours, least, title) =>
  kinds.map((kind) => ({
    scenario: 'memory',
    text: `${verb} ${kind}${title ?? ''}: at least ${least} × ${peer}`,
    ours: [ours],
    than: [peer],
    figure: `${verb}-${kind}`,
    better: 'more',
    least,
  }))

const TEXTS = ['number', 'string']

/** @type {Bar[]} */
const bars = [
  {
    scenario: 'map',
    text: 'map of numbers: at most 1.2 × the time of one thread without a library',
    ours: ['ours'],
    than: ['single'],
    figure: 'ms',
    better: 'less',
    most: 1.2,
  },
  {
    scenario: 'map',
    text: 'map of numbers: at least 50 × piscina, a task per item',
    ours: ['ours'],
    than: ['piscina'],
    figure: 'ms',
    better: 'less',
    least: 50,
  },
  {
    scenario: 'burn',
    text: 'items of 5 ms: at least 0.95 × the threads of speed-up over one',
    ours: ['ours'],
    than: ['single'],
    figure: 'ms',
    better: 'less',
    least: 0.95,
    scaled: (ratio, { threads }) => ratio / threads,
  },
  {
    scenario: 'burn',
    text: "items of 5 ms: at most 0.1 × piscina's CPU time of the main thread",
    ours: ['ours'],
    than: ['piscina'],
    figure: 'main',
    better: 'less',
    most: 0.1,
  },
  {
    scenario: 'scope',
    text: 'shared value per item: at least 1.5 × the best of the others',
    ours: ['ours'],
    than: [
      'piscina',
      ...['piscina', 'tinypool', 'workerpool', 'poolifier'].map((it) => `${it}-chunks`),
    ],
    figure: 'ms',
    better: 'less',
    least: 1.5,
  },
  ...getSet('get', TEXTS, 'lmdb', 'ours-sync', 2),
  ...getSet('get', [...TEXTS, 'object'], 'lmdb', 'ours-near', 10, ', kept by the thread'),
  ...getSet('set', [...TEXTS, 'object', 'bytes'], 'lmdb', 'ours-sync', 20),
  ...getSet('set', [...TEXTS, 'object'], 'sharedmap', 'ours-sync', 1.5),
  {
    scenario: 'events',
    text: 'events: at least 1.8 × BroadcastChannel',
    ours: ['ours'],
    than: ['broadcast'],
    figure: 'ms',
    better: 'less',
    least: 1.8,
  },
]

/**
 * How a bar was met; `null` if it was not measured.
 *
 * @param {Bar} bar
 * @param {import('./figures').Row[]} rows of its scenario
 * @param {Record<string, any>} load of its scenario
 * @returns {{ text: string, ratio: number, best: number, reached: boolean } | null}
 */
function judge(bar, rows, load) {
  const ours = rows.find((row) => bar.ours.includes(row.peer))
  const others = rows.filter((row) => bar.than.includes(row.peer))
  if (!ours || others.length === 0) return null
  const of = (which) => {
    const theirs = others.map((row) => row[which][bar.figure])
    const own = ours[which][bar.figure]
    const best = bar.better === 'more' ? Math.max(...theirs) : Math.min(...theirs)
    // "At most" is about what is taken, "at least" about how much better.
    const ratio = bar.most || bar.better === 'more' ? own / best : best / own
    return bar.scaled ? bar.scaled(ratio, load) : ratio
  }
  const ratio = of('figures')
  const reached = bar.most ? ratio <= bar.most : ratio >= bar.least
  return { text: bar.text, ratio, best: of('best'), reached }
}

/** A table in Markdown. @param {NonNullable<ReturnType<typeof judge>>[]} judged */
function barTable(judged) {
  return [
    '| bar | ratio of the medians (of the best) | reached |',
    '| --- | ---: | --- |',
    ...judged.map(
      ({ text, ratio, best, reached }) =>
        `| ${text} | ${short(ratio)} (${short(best)}) | ${reached ? 'yes' : '**no**'} |`,
    ),
  ].join('\n')
}

module.exports = { bars, judge, barTable }
