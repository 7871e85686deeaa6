'use strict'

// The one importer of the native addon.

/**
 * Another build of the addon can be named by ES_NETWORKCLUSTER_ADDON.
 * @returns {typeof import('../../native/binding.cjs')}
 */
function load() {
  const path = process.env.ES_NETWORKCLUSTER_ADDON
  if (path) return require(path)
  try {
    return require('../../native/binding.cjs')
  } catch (cause) {
    throw explained(cause)
  }
}

/**
 * Most often the install script of the package has not run: newer versions of npm ask for that first.
 * @param {unknown} cause
 */
function explained(cause) {
  const { addonPath, platformName } = require('../../scripts/addon.js')
  const file = addonPath()
  if (require('node:fs').existsSync(file)) return reasonOf(file) ?? cause
  const message =
    `es-networkcluster has no addon for ${platformName()}. If its install script was not run ` +
    '(--ignore-scripts, or a package manager that asks for approval, as npm does by ' +
    '`npm install-scripts approve es-networkcluster`), allow it and run `npm rebuild es-networkcluster`.'
  return new Error(message, { cause })
}

/**
 * What the system says of a file that is there: the binding reports but the last file that it tried.
 * @param {string} file
 */
function reasonOf(file) {
  try {
    require(file)
  } catch (reason) {
    return reason
  }
  return undefined
}

module.exports = load()
