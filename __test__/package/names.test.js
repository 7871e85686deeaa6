'use strict'

// What the package exports, for require, import and the types.

const assert = require('node:assert/strict')
const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')

const root = path.join(__dirname, '../..')

/** Names of values that a declaration file exports. */
function declared(file) {
  const text = fs.readFileSync(path.join(root, file), 'utf8')
  const lists = [...text.matchAll(/^export \{([^}]*)\} from/gm)].flatMap(([, list]) =>
    list.split(',').map((name) => name.trim()),
  )
  const functions = [...text.matchAll(/^export function (\w+)/gm)].map(([, name]) => name)
  return [...new Set([...lists, ...functions])].filter(Boolean).sort()
}

test('require, import and the types have the same names', async () => {
  const api = require('es-networkcluster')
  const names = Object.keys(api).sort()
  const { default: same, ...imported } = await import('es-networkcluster')
  assert.equal(same, api)
  assert.deepEqual(Object.keys(imported).sort(), names)
  for (const name of names) assert.equal(imported[name], api[name], name)
  assert.deepEqual(declared('index.d.ts'), names)
})

test('the second names are the same classes', () => {
  const api = require('es-networkcluster')
  assert.equal(api.ScalabilityManagerClass, api.Manager)
  for (const name of ['Manager', 'Worker', 'Data', 'EventEmitter', 'Proxy', 'Adaptable']) {
    assert.equal(api[`${name}Machine`], api[name])
    assert.equal(api[name].name, name)
  }
  assert.ok(api.ScalabilityManager instanceof api.Manager)
  assert.equal(api.ScalabilityManager, api.ScalabilityManager)
})

test('a server loads nothing of what it does not use', () => {
  const script = `
    const { AGServer } = require('es-networkcluster')
    const parts = Object.keys(require.cache).map((file) => require('node:path').relative('.', file))
    console.log(JSON.stringify(parts.filter((file) => !file.includes('node_modules'))))`
  const loaded = JSON.parse(
    execFileSync(process.execPath, ['-e', script], { cwd: root }).toString(),
  )
  const rest = /^lib[/\\](memory|values|events|compute|functions|machines|link)[/\\]/
  assert.deepEqual(
    loaded.filter((/** @type {string} */ file) => rest.test(file)),
    [],
  )
  assert.ok(loaded.length > 5)
})

test('every code of an error is in the types', () => {
  const codes = (/** @type {string} */ file) =>
    new Set(fs.readFileSync(path.join(root, file), 'utf8').match(/'ERR_NC_[A-Z_]+'/g))
  const typed = codes('types/network-cluster-error.d.ts')
  assert.deepEqual(codes('lib/core/network-cluster-error.js'), typed)
})
