'use strict'

// Builds the addon when the Rust sources are newer, then runs the JavaScript tests.
// Usage: npm test [-- file.test.js ...]

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { root, isStale } = require('./addon.js')
const { build } = require('./build.js')

/** All `*.test.js` files below a folder: `node --test` takes no globs on Node 20. */
function testFiles(folder) {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name)
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : testFiles(file)
    return entry.name.endsWith('.test.js') ? [file] : []
  })
}

function run(files) {
  const problem = isStale() ? build() : null
  if (problem) {
    console.error(problem)
    return 1
  }
  if (files.length === 0) {
    console.error('no test files found')
    return 1
  }
  // spec writes node's own summary (tests, pass, fail) as the last lines.
  const args = ['--test', '--test-reporter=spec', '--test-concurrency=2', ...files]
  const { status, error } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' })
  if (error) console.error(error.message)
  return status ?? 1
}

const named = process.argv.slice(2)
process.exitCode = run(named.length > 0 ? named : testFiles(path.join(root, '__test__')).sort())
