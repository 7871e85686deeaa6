'use strict'

// From single runs to the figures that are shown.

const { median } = require('../figures')

/**
 * @typedef {object} Row a peer in a scenario
 * @property {string} peer
 * @property {string} title
 * @property {boolean} ours
 * @property {Record<string, number>} figures medians
 * @property {Record<string, number>} best the best of each figure
 * @property {Record<string, [number, number]>} range of each figure
 */

/**
 * @param {{ name: string, title: string, ours: boolean }} peer
 * @param {'more' | 'less'} better
 * @param {Record<string, number>[]} runs
 * @returns {Row}
 */
function row({ name, title, ours }, better, runs) {
  const of = (combine) =>
    Object.fromEntries(
      Object.keys(runs[0]).map((figure) => [figure, combine(runs.map((each) => each[figure]))]),
    )
  const best = of((values) => (better === 'more' ? Math.max(...values) : Math.min(...values)))
  // The quickest of all passes, not of the runs' medians.
  if ('least' in best) best.ms = best.least
  const range = of((values) => [Math.min(...values), Math.max(...values)])
  return { peer: name, title, ours, figures: of(median), best, range }
}

module.exports = { row }
