'use strict'

// The client as one ES module, for a page without a bundler: this package's part of it, on top of
// the file that socketcluster-client ships for browsers. An app with a bundler needs none of this.

const fs = require('node:fs')
const { createRequire } = require('node:module')

/** @returns {string} a module that imports `/socketcluster-client.js` */
function clientFile() {
  const modules = new Map()
  const main = require.resolve('../../client.js')
  collect(main, modules)
  const functions = [...modules].map(
    ([file, source]) => `${JSON.stringify(file)}(module, exports, require) {\n${source}\n}`,
  )
  return `import * as original from '/socketcluster-client.js'
const modules = {\n${functions.join(',\n')}\n}
const loaded = { 'socketcluster-client': original }
function load(file) {
  if (loaded[file]) return loaded[file]
  const module = { exports: {} }
  modules[file](module, module.exports, load)
  return (loaded[file] = module.exports)
}
export const { AGClientSocket, create } = load(${JSON.stringify(main)})
`
}

/** Adds a file and all that it requires, with each `require` naming the file it means. */
function collect(file, modules) {
  modules.set(file, '')
  const required = createRequire(file)
  const source = fs.readFileSync(file, 'utf8').replace(/require\('([^']+)'\)/g, (call, name) => {
    if (name === 'socketcluster-client') return call
    const other = required.resolve(name)
    if (!modules.has(other)) collect(other, modules)
    return `require(${JSON.stringify(other)})`
  })
  modules.set(file, source)
}

module.exports = { clientFile }
