'use strict'

// What the benchmarks need, made on first use.

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { isStale } = require('../scripts/addon')
const { build } = require('../scripts/build')

const crate = path.join(__dirname, 'loadgen')
const target = path.join(crate, 'target')
const loadgen = path.join(target, 'release/loadgen')

function run(executable, args, cwd) {
  const shell = process.platform === 'win32'
  const { status, error } = spawnSync(executable, args, { cwd, shell, stdio: 'inherit' })
  if (error) throw new Error(`${executable}: ${error.message}`)
  if (status !== 0) throw new Error(`${executable} ${args[0]} failed`)
}

/** When a file was written; 0 if there is none. */
function timeOf(file) {
  return fs.statSync(path.join(__dirname, file), { throwIfNoEntry: false })?.mtimeMs ?? 0
}

/** Installs the peers, also anew if others are needed than those that are there. */
function installPeers() {
  if (timeOf('node_modules/.package-lock.json') >= timeOf('package-lock.json')) return
  run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], __dirname)
}

/** Builds the addon if its sources are newer, installs the peers, builds the load generator. */
function install() {
  const problem = isStale() ? build() : null
  if (problem) throw new Error(problem)
  installPeers()
  run('cargo', ['build', '--release', '--locked', '--quiet', '--target-dir', target], crate)
}

module.exports = { install, installPeers, loadgen }
