'use strict'

const { setImmediate, setTimeout } = require('node:timers/promises')

/** Attempts that come right after each other. */
const AT_ONCE = 4
/** Milliseconds. */
const LONGEST = 32

/**
 * Waits before something is tried again that others were faster with: longer each time, with some
 * chance in it.
 * @param {number} attempt from 0
 */
function pause(attempt) {
  if (attempt < AT_ONCE) return setImmediate()
  return setTimeout(Math.random() * Math.min(LONGEST, 2 ** (attempt - AT_ONCE)))
}

/**
 * How long an entry lasts still, for a new value in its place.
 * @param {import('./wire.js').Entry | undefined} entry
 * @returns {number} milliseconds, 0 for ever
 */
function timeLeft(entry) {
  return entry?.expiresAt === undefined ? 0 : Math.max(1, entry.expiresAt - Date.now())
}

module.exports = { pause, timeLeft }
