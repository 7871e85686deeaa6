'use strict'

// The examples that end by themselves, with little to do.

const assert = require('node:assert/strict')
const { execFile, spawn } = require('node:child_process')
const { once } = require('node:events')
const fs = require('node:fs')
const net = require('node:net')
const path = require('node:path')
const { test } = require('node:test')
const { promisify } = require('node:util')

const root = path.join(__dirname, '../..')
const examples = path.join(root, 'examples')

/** What an example prints, once it has ended with 0. */
async function output(/** @type {string[]} */ args, env = {}) {
  const options = { cwd: examples, timeout: 60_000, env: { ...process.env, ...env } }
  const { stdout } = await promisify(execFile)(process.execPath, args, options)
  return stdout
}

async function freeUrl() {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = /** @type {net.AddressInfo} */ (server.address())
  server.close()
  await once(server, 'close')
  return `http://localhost:${port}`
}

/** The block of code of a document that begins so. */
function block(/** @type {string} */ file, /** @type {string} */ beginning) {
  const text = fs.readFileSync(path.join(root, file), 'utf8')
  const blocks = [...text.matchAll(/^```js\n([\s\S]*?)^```/gm)].map(([, code]) => code)
  const found = blocks.find((code) => code.startsWith(beginning))
  assert.ok(found, `${file} has ${beginning}`)
  return found
}

test('the examples of the README and the guide do what they say, and end', async () => {
  const beginning = 'import { SharedMemoryClass'
  const ends = [
    ['README.md', 'results'],
    ['docs/guides/threads-to-processes.md', 'newArray'],
  ]
  for (const [file, name] of ends) {
    const code = block(file, beginning).replaceAll('http://localhost:12345', await freeUrl())
    const script = `${code}\nconsole.log(JSON.stringify(${name}))`
    assert.equal(await output(['--input-type=module', '-e', script]), '[10,20,30,40,50]\n')
  }
})

test('long-work counts primes with a progress bar', async () => {
  const text = await output(['long-work', '10000000'])
  assert.match(text, /\[\.*\] +0 %|\[#+\.+\] +\d+ %/)
  assert.match(text, /\[#{40}\] 100 %\n664579 primes below 10000000, in [\d.]+ s\n$/)
})

test('long-work ends early when it is interrupted', async () => {
  const child = spawn(process.execPath, ['long-work', '1000000000'], { cwd: examples })
  let errors = ''
  child.stderr.on('data', (text) => (errors += text))
  // With the first progress there is work under way.
  await once(child.stdout, 'data')
  child.kill('SIGINT')
  assert.deepEqual(await once(child, 'close'), [1, null])
  assert.match(errors, /stopped by Ctrl-C/)
})

test('shared-state: no process loses what another one does', async () => {
  const text = await output(['shared-state', '2'], { SHARED_STATE_URL: await freeUrl() })
  const [first, second, last] = text.trim().split('\n')
  assert.deepEqual([first, second].sort(), ['process 1 is done', 'process 2 is done'])
  assert.match(last, /^2000 visits of process (1, process 2|2, process 1)$/)
})
