'use strict'

const assert = require('node:assert/strict')
const { spawn } = require('node:child_process')
const path = require('node:path')
const { test } = require('node:test')
const { forEachTransport } = require('../support')

const LIMIT = 5000

/** Runs a script; resolves with how it ended, and ends it itself after the limit. */
function run(script, ...args) {
  const file = path.join(__dirname, 'exit', script)
  const child = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  let errors = ''
  let closedAt = 0
  child.stderr.on('data', (part) => (errors += part))
  child.stdout.on('data', (part) => {
    output += part
    closedAt = Date.now()
    timer = setTimeout(() => child.kill('SIGKILL'), LIMIT)
  })
  let timer
  const start = setTimeout(() => child.kill('SIGKILL'), 20000)
  return new Promise((resolve) => {
    child.on('exit', (code, signal) => {
      clearTimeout(timer)
      clearTimeout(start)
      resolve({ code, signal, output, errors, after: Date.now() - closedAt })
    })
  })
}

async function assertEnds(...args) {
  const result = await run(...args)
  assert.match(result.output, /^closed/, result.errors)
  assert.equal(result.signal, null, `still running ${LIMIT} ms after close`)
  assert.equal(result.code, 0, result.errors)
  assert.equal(result.errors, '')
}

forEachTransport((transport) => {
  test(`a process ends by itself after close, without clients (${transport})`, () =>
    assertEnds('closing-script.js', transport, '0', 'idle'))

  test(`a process ends by itself after close, with clients (${transport})`, () =>
    assertEnds('closing-script.js', transport, '5', 'idle'))

  test(`a process ends by itself after close, amid traffic (${transport})`, () =>
    assertEnds('closing-script.js', transport, '5', 'traffic'))

  test(`a process with serving workers ends after they closed (${transport})`, () =>
    assertEnds('worker-script.js', transport))
})

for (const mode of ['close', 'clients', 'left', 'unref']) {
  test(`a process that listened ends by itself (${mode})`, () =>
    assertEnds('listening-script.js', mode))
}
