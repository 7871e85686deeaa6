'use strict'

// Builds the native addon with cargo alone and puts it into native/.
// Usage: node scripts/build.js [--debug] [--features a,b]

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { root, addonPath } = require('./addon.js')

const missingCargo = `es-networkcluster: cargo was not found, and there is no prebuilt addon for this platform.

Install Rust 1.95 or newer (https://rustup.rs) and a C linker, then run the command again:
  Debian, Ubuntu   apt-get install build-essential
  Alpine           apk add build-base
  Fedora           dnf install gcc
  macOS            xcode-select --install
  Windows          the "Desktop development with C++" workload of the Visual Studio Build Tools`

/** Builds the addon; returns null, or the message that explains what went wrong. */
function build(args = []) {
  const features = args.includes('--features') ? args[args.indexOf('--features') + 1] : null
  const cargoArgs = ['build', '--lib', '--message-format=json-render-diagnostics']
  if (!args.includes('--debug')) cargoArgs.push('--release')
  if (features) cargoArgs.push('--features', features)
  if (fs.existsSync(path.join(root, 'Cargo.lock'))) cargoArgs.push('--locked')

  const result = spawnSync('cargo', cargoArgs, {
    cwd: root,
    env: withDynamicMusl(process.env),
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (result.error?.code === 'ENOENT') return missingCargo
  if (result.error) return `es-networkcluster: cargo did not start: ${result.error.message}`
  if (result.status !== 0) {
    return 'es-networkcluster: the build failed, see the messages of cargo above.'
  }

  const library = builtLibrary(result.stdout)
  if (!library) return 'es-networkcluster: cargo built no dynamic library.'
  install(library, addonPath())
  console.log(`built ${path.relative(root, addonPath())}`)
  return null
}

// A dynamic library cannot be made with Rust's default of static linking on musl.
function withDynamicMusl(env) {
  if (!addonPath().endsWith('-musl.node')) return env
  const flags = [env.RUSTFLAGS, '-C target-feature=-crt-static'].filter(Boolean).join(' ')
  return { ...env, RUSTFLAGS: flags }
}

/** The addon's file among cargo's JSON messages; its place depends on CARGO_TARGET_DIR. */
function builtLibrary(messages) {
  for (const line of messages.split('\n')) {
    if (!line.startsWith('{')) continue
    const message = JSON.parse(line)
    if (message.reason !== 'compiler-artifact') continue
    if (message.target.name !== 'es_networkcluster') continue
    const file = message.filenames.find((name) => /\.(so|dylib|dll)$/.test(name))
    if (file) return file
  }
  return null
}

// Rename, so that a running process keeps the file it has mapped.
function install(from, to) {
  const temporary = `${to}.${process.pid}.tmp`
  fs.mkdirSync(path.dirname(to), { recursive: true })
  fs.copyFileSync(from, temporary)
  // The copy must be newer than the sources even when cargo had nothing to do.
  fs.utimesSync(temporary, new Date(), new Date())
  fs.renameSync(temporary, to)
}

module.exports = { build }

if (require.main === module) {
  const problem = build(process.argv.slice(2))
  if (problem) console.error(problem)
  process.exitCode = problem ? 1 : 0
}
