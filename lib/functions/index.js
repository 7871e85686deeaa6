'use strict'

// Functions that run elsewhere: `describe` checks a function and makes of it what can be sent,
// `compile` makes of that what runs over the items of a chunk.

const { describe, stands } = require('./describe')
const { compile } = require('./compile')
const ItemError = require('./item-error')

/** @typedef {import('./describe').Description} Description */
/** @typedef {import('./describe').Report} Report */
/** @typedef {import('./describe').Uses} Uses */
/** @typedef {InstanceType<typeof import('./runner').Runner>} Runner */
/** @typedef {import('./runner').Kind} Kind */
/** @typedef {import('./evaluate').CodeCache} CodeCache */

module.exports = { describe, stands, compile, ItemError }
