'use strict'

// What is said where the native addon is not to be had.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { test } = require('node:test')

const root = path.join(__dirname, '../..')

/** What Node.js says on its way out. */
function complaint(/** @type {string[]} */ args) {
  const { ES_NETWORKCLUSTER_ADDON: _named, ...env } = process.env
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env })
  assert.equal(status, 1)
  return stderr
}

test('without an addon it is said how to get one', (t) => {
  const copy = fs.mkdtempSync(path.join(os.tmpdir(), 'nc-addon-'))
  t.after(() => fs.rmSync(copy, { recursive: true }))
  for (const file of ['lib/core/native.js', 'native/binding.cjs', 'scripts/addon.js']) {
    fs.mkdirSync(path.join(copy, path.dirname(file)), { recursive: true })
    fs.copyFileSync(path.join(root, file), path.join(copy, file))
  }
  const said = complaint([path.join(copy, 'lib/core/native.js')])
  assert.match(said, /^Error: es-networkcluster has no addon for \S+\./m)
  assert.match(said, /npm rebuild es-networkcluster/)
})

test('of an addon that cannot be loaded it is said why', { skip: named() }, () => {
  const said = complaint(['--no-addons', path.join(root, 'lib/core/native.js')])
  assert.match(said, /ERR_DLOPEN_DISABLED/)
  assert.doesNotMatch(said, /npm rebuild/)
})

/** Whether the tests run with another build of the addon, so that the usual one may not be there. */
function named() {
  return process.env.ES_NETWORKCLUSTER_ADDON !== undefined
}
