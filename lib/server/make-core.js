'use strict'

const native = require('../core/native')
const { invalidOptions } = require('../core/errors')

/**
 * A native core for a server's line to it.
 *
 * @param {import('../../native/binding.cjs').NativeConfig} config
 * @param {import('../../native/binding.cjs').NativeLimits} limits
 * @param {{ _drain(): void }} link
 */
function makeCore(config, limits, link) {
  try {
    return new native.NativeServer(config, limits, waker(new WeakRef(link)))
  } catch (error) {
    // What the options name could not be opened.
    if (!String(error.code).startsWith('ERR_')) throw error
    throw invalidOptions(error.message, error.code)
  }
}

// The core keeps this function for as long as the core lives: it must not keep the link, or no
// server would ever be collected.
function waker(weak) {
  return () => {
    const link = weak.deref()
    if (link) link._drain()
  }
}

module.exports = makeCore
