'use strict'

// From single runs to the figures that are shown.

/**
 * @typedef {object} Outcome one run
 * @property {string} scenario
 * @property {string} peer
 * @property {Record<string, number>} figures
 * @property {Record<string, number>} faults
 */

/**
 * @typedef {object} Row a peer in a scenario
 * @property {string} peer
 * @property {string} title
 * @property {boolean} ours
 * @property {Record<string, number>} figures medians
 * @property {[number, number]} range of the throughput
 * @property {Record<string, number>} faults sums
 * @property {boolean} limited whether the load generator may have been the limit
 */

/** Above this share of a CPU its busiest thread counts as the limit. */
const BUSY = 0.95

function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

function merge(records, combine) {
  const names = Object.keys(records[0])
  return Object.fromEntries(names.map((name) => [name, combine(records.map((it) => it[name]))]))
}

function sum(values) {
  return values.reduce((total, value) => total + value, 0)
}

/**
 * The row of a peer.
 *
 * @param {{ name: string, title: string, ours: boolean }} peer
 * @param {Outcome[]} outcomes its runs in one scenario
 * @returns {Row}
 */
function row({ name, title, ours }, outcomes) {
  const figures = outcomes.map((outcome) => outcome.figures)
  const rates = figures.map((each) => each.perSecond)
  return {
    peer: name,
    title,
    ours,
    figures: merge(figures, median),
    range: [Math.min(...rates), Math.max(...rates)],
    faults: merge(
      outcomes.map((outcome) => outcome.faults),
      sum,
    ),
    limited: median(figures.map((each) => each.busiest ?? 0)) > BUSY,
  }
}

const DESCRIPTIONS = {
  lost: 'messages lost',
  duplicated: 'messages twice',
  reordered: 'messages out of order',
  strange: 'messages that nobody should have got',
  ended: 'connections lost',
}

/** What went wrong in a run, in words; empty if nothing did. */
function faultsOf({ faults }) {
  return Object.entries(faults)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${count} ${DESCRIPTIONS[name]}`)
    .join(', ')
}

module.exports = { median, row, faultsOf }
