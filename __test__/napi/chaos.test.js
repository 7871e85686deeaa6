'use strict'

const assert = require('node:assert/strict')
const { execFileSync, spawn } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { isOurs, oursTest } = require('../support')

const ROOT = path.join(__dirname, '..', '..')
const STEPS = ['call', 'event', 'io', 'drop']

/** The addon with the panic injector: the one which is named, or in CI one built here. */
function chaosAddon() {
  const named = process.env.ES_NETWORKCLUSTER_CHAOS_ADDON
  if (named || !process.env.CI || !isOurs) return named
  const cargo = (...args) => execFileSync('cargo', args, { cwd: ROOT, maxBuffer: 1 << 28 })
  const output = cargo('build', '--release', '--features', 'chaos', '--message-format=json')
  const artifacts = output
    .toString()
    .split('\n')
    .filter((line) => line.startsWith('{'))
  // By name: a dependency of ours may be a dynamic library too.
  const library = artifacts
    .map((line) => JSON.parse(line))
    .filter(({ target }) => target && target.name === 'es_networkcluster')
    .flatMap(({ filenames }) => filenames || [])
    .find((file) => /\.(so|dylib|dll)$/.test(file))
  assert.ok(library, 'cargo built no dynamic library')
  const addon = path.join(os.tmpdir(), `es-networkcluster-chaos-${process.pid}.node`)
  fs.copyFileSync(library, addon)
  process.once('exit', () => fs.rmSync(addon, { force: true }))
  return addon
}

const addon = chaosAddon()
const skip = addon ? false : 'ES_NETWORKCLUSTER_CHAOS_ADDON names no addon'

for (const where of STEPS) {
  const outcome = where === 'drop' ? 'harms nobody' : 'is an error event, not the end'
  oursTest(`a panic in the step '${where}' ${outcome}`, { skip }, async () => {
    const script = path.join(__dirname, 'scripts', 'chaos.js')
    const child = spawn(process.execPath, ['--expose-gc', script, where], {
      env: { ...process.env, ES_NETWORKCLUSTER_ADDON: addon },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    let errors = ''
    child.stdout.on('data', (part) => (output += part))
    child.stderr.on('data', (part) => (errors += part))
    const [code, signal] = await new Promise((resolve) =>
      child.once('close', (...args) => resolve(args)),
    )
    assert.equal(signal, null, errors)
    assert.equal(code, 0, errors)
    assert.equal(errors, '', 'a guarded panic is told once')
    const seen = JSON.parse(output.trim().split('\n').at(-1))
    assert.equal(seen.where, where)
    assert.equal(typeof seen.error, where === 'drop' ? 'undefined' : 'string')
  })
}
