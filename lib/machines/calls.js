'use strict'

// Single calls: each is a job of one item, the arguments.

/**
 * @param {import('./compute')} compute
 * @param {any} description
 * @param {readonly unknown[]} args
 * @param {object} [options]
 * @returns {Promise<any>}
 */
async function run(compute, description, args, options) {
  throw new Error('not yet')
}

/**
 * @param {import('./compute')} compute
 * @param {any} description
 * @param {readonly unknown[]} args
 * @returns {Promise<any[]>}
 */
async function broadcast(compute, description, args) {
  throw new Error('not yet')
}

module.exports = { run, broadcast }
