'use strict'

// The example that memories, iterators and events began with (fixtures/promise.txt), each half of it as a
// process of its own: it has to do what it says, and to end by itself.

const assert = require('node:assert/strict')
const { execFile } = require('node:child_process')
const fs = require('node:fs')
const net = require('node:net')
const { once } = require('node:events')
const path = require('node:path')
const { test } = require('node:test')
const { promisify } = require('node:util')

const root = path.join(__dirname, '../..')
const text = fs.readFileSync(path.join(__dirname, 'fixtures/promise.txt'), 'utf8')
const [first, second] = text.split('// OR\n')
const setUp = first.slice(0, first.indexOf('await SharedMemory'))

const NAMES = 'SharedMemoryClass, IteratorClass, SharedEventEmitterClass, ScalabilityManager'
const REQUIRE = `const assert = require('assert'), { ${NAMES} } = require('es-networkcluster')\n`
const IMPORT = `import assert from 'assert'; import { ${NAMES} } from 'es-networkcluster'\n`

/** Only so that several can run on one machine. */
async function onFreePort(/** @type {string} */ script) {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = /** @type {net.AddressInfo} */ (server.address())
  server.close()
  await once(server, 'close')
  assert.ok(script.includes('http://localhost:12345'))
  return script.replace(':12345', `:${port}`)
}

/** Runs a script to its end: rejects if it fails, or does not end. */
async function run(/** @type {string} */ script, type = 'commonjs') {
  const args = [`--input-type=${type}`, '-e', await onFreePort(script)]
  await promisify(execFile)(process.execPath, args, { cwd: root, timeout: 60_000 })
}

/** Makes sure that what is asserted is what is asserted. */
const spoilt = (/** @type {string} */ script) => script.replace('multiplier: 10', 'multiplier: 11')

test('with promises: word for word', async () => {
  await run(REQUIRE + setUp + second)
  await assert.rejects(run(REQUIRE + setUp + spoilt(second)), /AssertionError/)
})

test('with await: its function needs to be async, as JavaScript has it', async () => {
  const asynchronous = first.replace('i.map(function', 'i.map(async function')
  assert.notEqual(asynchronous, first)
  await run(IMPORT + asynchronous, 'module')
  await assert.rejects(run(IMPORT + spoilt(asynchronous), 'module'), /AssertionError/)
  await run(`${REQUIRE}async function main() {${asynchronous}}\nmain()`)
  await assert.rejects(run(IMPORT + first, 'module'), /SyntaxError/)
})
