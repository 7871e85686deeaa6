'use strict'

/**
 * @typedef {object} Bars what a server has to keep to while it is attacked
 * @property {number} [wait] most milliseconds that another client waits
 * @property {number} [peak] most resident memory, in MB
 * @property {number} [growth] most resident memory beyond what it had before, in MB
 * @property {number} [seconds] the attack is over before
 * @property {number} [cpu] CPU seconds of the server
 * @property {(outcome: Outcome, after: object) => boolean} [outcome] whether it ended well
 */

/**
 * @typedef {Record<string, number>} Outcome what attackers got, as numbers that add up
 */

/**
 * @typedef {object} Attack
 * @property {string} title
 * @property {'full' | 'lean'} app
 * @property {object} [options] of the server
 * @property {boolean} [listen] the server listens itself, if it can
 * @property {number} [attackers] processes
 * @property {(where: { port: number, part: number, parts: number }) =>
 *   Promise<() => Promise<Outcome>>} prepare gives the attack, ready to begin
 * @property {Bars} bars
 */

/** @type {Record<string, Attack>} */
const attacks = {
  ...require('./names'),
  ...require('./messages'),
  ...require('./batches'),
  ...require('./readers'),
  ...require('./floods'),
  ...require('./frames'),
}

module.exports = { attacks }
