'use strict'

// Functions that run elsewhere: `describe` checks a function and makes of it what can be sent,
// `compile` makes of that what runs over the items of a chunk.

const { describe, stands, assertUses } = require('./describe')
const { compile, codeCacheKey } = require('./compile')
const ItemError = require('./item-error')

/** @typedef {import('./describe').Description} Description */
/** @typedef {import('./describe').Report} Report */
/** @typedef {import('./describe').Uses} Uses */
/** @typedef {InstanceType<typeof import('./runner').Runner>} Runner */
/** @typedef {import('./runner').Kind} Kind */

module.exports = { describe, stands, assertUses, compile, codeCacheKey, ItemError }
