'use strict'

// What is measured, in the order of the docs.

/**
 * @typedef {object} Column
 * @property {string} figure
 * @property {string} title
 * @property {'range'} [as] the median with the least and the most behind it; otherwise the median alone
 */

/**
 * @typedef {object} Scenario
 * @property {string} title
 * @property {'pool' | 'memory' | 'events'} work the module in bench/compute/work
 * @property {Record<string, any>} load
 * @property {'more' | 'less'} better of the figures that have a best one
 * @property {Column[]} columns
 * @property {import('../scenarios').Panel[]} panels
 */

/** Workers of every pool, and threads of every other scenario. */
const THREADS = 4

/** What stores are asked for: the kinds of value, with what is done to them. */
const KINDS = ['number', 'string', 'object', 'bytes']
const OPERATIONS = [
  ...KINDS.map((kind) => ({ figure: `get-${kind}`, title: `get ${kind}` })),
  ...KINDS.map((kind) => ({ figure: `set-${kind}`, title: `set ${kind}` })),
  { figure: 'increment', title: 'increment' },
]

const cpu = [
  { figure: 'main', title: "main thread's CPU, ms" },
  { figure: 'cpu', title: 'CPU of all threads, ms' },
]

/** @returns {Scenario} */
function memory(title, threads) {
  return {
    title,
    work: 'memory',
    load: { threads, keys: 1000, seconds: 0.05, passes: 3 },
    better: 'more',
    columns: OPERATIONS,
    panels: [
      { figure: 'get-string', title: 'strings read per second', better: 'more' },
      { figure: 'set-string', title: 'strings set per second', better: 'more' },
    ],
  }
}

/** @type {Record<string, Scenario>} */
const scenarios = {
  map: {
    title: 'Map of 100,000 numbers',
    work: 'pool',
    load: { task: 'double', threads: THREADS, items: 100_000, chunk: 1000, seconds: 0.5 },
    better: 'less',
    columns: [
      { figure: 'ms', title: 'ms (range)', as: 'range' },
      { figure: 'first', title: 'first time, ms' },
      { figure: 'perSecond', title: 'items/s' },
      ...cpu,
    ],
    panels: [
      { figure: 'ms', title: 'ms', better: 'less' },
      { figure: 'cpu', title: 'CPU of all threads, ms', better: 'less' },
    ],
  },
  burn: {
    title: 'Map of 1000 items of 5 ms',
    work: 'pool',
    load: { task: 'burn', threads: THREADS, items: 1000, chunk: 1, seconds: 0.1 },
    better: 'less',
    columns: [
      { figure: 'ms', title: 'ms (range)', as: 'range' },
      { figure: 'perSecond', title: 'items/s' },
      ...cpu,
    ],
    panels: [
      { figure: 'perSecond', title: 'items per second', better: 'more' },
      { figure: 'main', title: "main thread's CPU, ms", better: 'less' },
    ],
  },
  scope: {
    title: 'A shared value read for each of 20,000 items',
    work: 'pool',
    load: { task: 'scale', threads: THREADS, items: 20_000, chunk: 1000, seconds: 0.4 },
    better: 'less',
    columns: [
      { figure: 'ms', title: 'ms (range)', as: 'range' },
      { figure: 'first', title: 'first time, ms' },
      { figure: 'perSecond', title: 'items/s' },
      ...cpu,
    ],
    panels: [
      { figure: 'ms', title: 'ms', better: 'less' },
      { figure: 'main', title: "main thread's CPU, ms", better: 'less' },
    ],
  },
  memory: memory('Shared values, one thread', 1),
  'memory-4': memory('Shared values, four threads', 4),
  events: {
    title: 'Events to four threads',
    work: 'events',
    load: { threads: THREADS, events: 20_000, passes: 7 },
    better: 'less',
    columns: [
      { figure: 'ms', title: 'ms (range)', as: 'range' },
      { figure: 'perSecond', title: 'deliveries/s' },
      { figure: 'emit', title: 'µs per emit' },
      ...cpu,
    ],
    panels: [
      { figure: 'perSecond', title: 'deliveries per second', better: 'more' },
      { figure: 'main', title: "main thread's CPU, ms", better: 'less' },
    ],
  },
}

module.exports = { scenarios, OPERATIONS }
