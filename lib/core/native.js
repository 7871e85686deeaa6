'use strict'

// The one importer of the native addon.

/**
 * Another build of the addon can be named by ES_NETWORKCLUSTER_ADDON.
 * @returns {typeof import('../../native/binding.cjs')}
 */
function load() {
  const path = process.env.ES_NETWORKCLUSTER_ADDON
  return path ? require(path) : require('../../native/binding.cjs')
}

module.exports = load()
