'use strict'

const LocalBus = require('./local.js')

/**
 * @typedef {object} EmitterStats what all its threads and processes have done together
 * @property {number} emitted events
 * @property {number} delivered how often one was put into an emitter's queue
 * @property {number} dropped how often one found no room, or lost it
 * @property {number} waiting events in this emitter's own queue
 */

/**
 * @typedef {object} Backend how an emitter reaches the others
 * @property {Promise<void>} ready
 * @property {(name: string) => boolean} subscribe false if there are too many names
 * @property {(name: string) => void} unsubscribe
 * @property {(name: string, args: unknown[]) => boolean} emit
 * @property {(name: string, args: unknown[]) => Promise<number>} emitAndCount
 * @property {() => Promise<EmitterStats>} stats
 * @property {() => Promise<void>} close
 */

/**
 * @param {string | URL | undefined} url
 * @param {import('./options.js').EmitterOptions} options
 * @param {(name: string, args: unknown[]) => void} deliver
 * @returns {Backend}
 */
function join(url, options, deliver) {
  return new LocalBus('', options, deliver)
}

module.exports = { join }
