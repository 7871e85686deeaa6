'use strict'

const { names, readOptions } = require('../options')
const { peers } = require('./peers')
const { scenarios } = require('./scenarios')

const USAGE = `npm run bench:compute -- [options]

Without options: every scenario with every peer, and the results are written into docs/.

  --scenario a,b  of ${Object.keys(scenarios).join(', ')}
  --peers a,b     of ${Object.keys(peers).join(', ')}
  --reps N        repetitions, interleaved over the peers (3)
  --check         fails where a bar is missed
  --write         write the results into docs/ although options were given
`

/**
 * @typedef {object} Settings
 * @property {string[]} scenarios
 * @property {string[] | null} peers `null`: all that are installed
 * @property {number} reps
 * @property {boolean} check
 * @property {boolean} write
 */

const FLAGS = new Map([
  ['--check', 'check'],
  ['--write', 'write'],
])

/** How each option's value is read, and as what it is kept. */
const OPTIONS = new Map([
  ['--scenario', ['scenarios', (value) => names(value, scenarios)]],
  ['--peers', ['peers', (value) => names(value, peers)]],
  ['--reps', ['reps', (value) => (/^[1-9]\d?$/.test(value) ? Number(value) : undefined)]],
])

/**
 * Reads the command line; throws what is wrong with it.
 *
 * @param {string[]} given
 * @returns {Settings}
 */
function parse(given) {
  const settings = {
    scenarios: Object.keys(scenarios),
    peers: null,
    reps: 3,
    check: false,
    write: given.length === 0,
  }
  return readOptions(given, settings, FLAGS, OPTIONS)
}

module.exports = { USAGE, parse }
