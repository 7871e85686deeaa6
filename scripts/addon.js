'use strict'

// Where the native addon lives and whether it is up to date.

const fs = require('node:fs')
const path = require('node:path')

const root = path.join(__dirname, '..')
const sources = ['src', 'build.rs', 'Cargo.toml', 'Cargo.lock']

/** The platform name napi-rs uses in file and package names, for example `linux-x64-gnu`. */
function platformName() {
  const base = `${process.platform}-${process.arch}`
  if (process.platform === 'win32') return `${base}-msvc`
  if (process.platform !== 'linux') return base
  return `${base}-${isMusl() ? 'musl' : 'gnu'}`
}

function isMusl() {
  const report = /** @type {any} */ (process.report)
  report.excludeNetwork = true
  return !report.getReport().header.glibcVersionRuntime
}

function addonPath() {
  return path.join(root, 'native', `es-networkcluster.${platformName()}.node`)
}

/** True when no addon is there, or when a Rust source is newer than it. */
function isStale() {
  const built = fs.statSync(addonPath(), { throwIfNoEntry: false })
  if (!built) return true
  return sources.some((name) => newest(path.join(root, name)) > built.mtimeMs)
}

function newest(file) {
  const stat = fs.statSync(file, { throwIfNoEntry: false })
  if (!stat) return 0
  if (!stat.isDirectory()) return stat.mtimeMs
  return Math.max(0, ...fs.readdirSync(file).map((name) => newest(path.join(file, name))))
}

module.exports = { root, platformName, addonPath, isStale }
