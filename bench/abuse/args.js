'use strict'

const { readOptions } = require('../options')
const { attacks } = require('./attacks')
const { OURS } = require('./modules')

const USAGE = `npm run bench:abuse -- [options]

Attacks a server in every way it knows, and tells how it and another client fared.

  --attack a,b     of ${Object.keys(attacks).join(', ')};
                   the beginning of names stands for all that begin with it
  --module NAME    what serves: ${OURS} (the default), or a package with the same interface
  --reps N         repetitions, of which the medians count (1)
  --check          fail where a bar is missed
  --write          write the results into docs/
`

/**
 * @typedef {object} Settings
 * @property {string[]} attacks
 * @property {string} module
 * @property {number} reps
 * @property {boolean} check
 * @property {boolean} write
 */

const FLAGS = new Map([
  ['--check', 'check'],
  ['--write', 'write'],
])

const OPTIONS = new Map([
  ['--attack', ['attacks', chosen]],
  ['--module', ['module', (value) => value || undefined]],
  ['--reps', ['reps', (value) => (/^[1-9]$/.test(value) ? Number(value) : undefined)]],
])

/**
 * Reads the command line; throws what is wrong with it.
 *
 * @param {string[]} given
 * @returns {Settings}
 */
function parse(given) {
  const all = Object.keys(attacks)
  const settings = { attacks: all, module: OURS, reps: 1, check: false, write: false }
  readOptions(given, settings, FLAGS, OPTIONS)
  if (settings.write && (settings.module !== OURS || settings.attacks.length < all.length)) {
    throw new Error(`--write is for all attacks on ${OURS}`)
  }
  return settings
}

/** The attacks that are named, or whose names begin so; in the usual order. */
function chosen(value) {
  const all = Object.keys(attacks)
  const parts = value.split(',')
  const matching = (part) => (all.includes(part) ? [part] : all.filter((it) => it.startsWith(part)))
  const unknown = parts.find((part) => part === '' || matching(part).length === 0)
  if (unknown !== undefined) throw new Error(`${unknown || 'nothing'} is none of ${all}`)
  const wanted = new Set(parts.flatMap(matching))
  return all.filter((name) => wanted.has(name))
}

module.exports = { USAGE, parse }
