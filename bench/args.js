'use strict'

const { names, readOptions } = require('./options')
const { peers } = require('./peers')
const { scenarios } = require('./scenarios')

const USAGE = `npm run bench -- [options]

Without options: every scenario with every peer, and the results are written into docs/.

  --scenario a,b       of ${Object.keys(scenarios).join(', ')}
  --peers a,b          of ${Object.keys(peers).join(', ')}
  --reps N             repetitions, interleaved over the peers (3)
  --seconds S          length of a measurement (2)
  --servers-cpus LIST  CPUs of the servers, such as 0,1 (the first half; Linux)
  --clients-cpus LIST  CPUs of the load generator (the second half)
  --write              write the results into docs/ although options were given
`

/**
 * @typedef {object} Settings
 * @property {string[]} scenarios
 * @property {string[] | null} peers `null`: those that take part by default
 * @property {number} reps
 * @property {number} seconds
 * @property {string | null} serversCpus
 * @property {string | null} clientsCpus
 * @property {boolean} write
 */

const FLAGS = new Map([['--write', 'write']])

/** How each option's value is read, and as what it is kept. */
const OPTIONS = new Map([
  ['--scenario', ['scenarios', (value) => names(value, scenarios)]],
  ['--peers', ['peers', (value) => names(value, peers)]],
  ['--reps', ['reps', (value) => number(value, /^[1-9]\d?$/)]],
  ['--seconds', ['seconds', (value) => number(value, /^(\d|1\d|20)(\.\d+)?$/)]],
  ['--servers-cpus', ['serversCpus', cpus]],
  ['--clients-cpus', ['clientsCpus', cpus]],
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
    seconds: 2,
    serversCpus: null,
    clientsCpus: null,
    write: given.length === 0,
  }
  return readOptions(given, settings, FLAGS, OPTIONS)
}

function number(value, pattern) {
  return pattern.test(value) && Number(value) > 0 ? Number(value) : undefined
}

function cpus(value) {
  return /^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(value) ? value : undefined
}

module.exports = { USAGE, parse }
