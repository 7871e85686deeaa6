'use strict'

// npm's install step: uses the prebuilt addon of this platform, or builds one from source.
// ES_NETWORKCLUSTER_SKIP_BUILD=1 skips it.

const { platformName, isStale } = require('./addon.js')
const { build } = require('./build.js')
const { napi } = require('../package.json')

function hasPrebuilt() {
  try {
    require.resolve(`${napi.packageName}-${platformName()}`)
    return true
  } catch {
    return false
  }
}

if (process.env.ES_NETWORKCLUSTER_SKIP_BUILD !== '1' && !hasPrebuilt() && isStale()) {
  console.log(`es-networkcluster: building the addon for ${platformName()} from source`)
  const problem = build()
  if (problem) console.error(problem)
  process.exitCode = problem ? 1 : 0
}
