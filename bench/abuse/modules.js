'use strict'

const path = require('node:path')

const ours = path.join(__dirname, '../..')
const peers = path.join(__dirname, '../node_modules')

const OURS = 'es-networkcluster'

/** Where a module is: this package, one of the benchmarks' peers, or one of the package's own. */
function locate(name) {
  return name === OURS ? ours : require.resolve(name, { paths: [peers, ours] })
}

module.exports = { OURS, locate, moduleOf: (name) => require(locate(name)) }
