'use strict'

// A worker that is a process of its own, made by the manager.

const { fork } = require('node:child_process')
const path = require('node:path')
const { OUT_OF_MEMORY } = require('./thread-member')

const ENTRY = path.join(__dirname, 'process-worker.js')

/** What V8 writes before it aborts. */
const NO_MEMORY = /heap out of memory|invalid table size|Zone Allocation failed/i
/** So much of what a process wrote last is looked at. */
const TAIL = 8192

/**
 * @param {import('node:worker_threads').ResourceLimits | undefined} limits
 * @returns {string[]}
 */
function flags(limits) {
  const all = []
  if (limits?.maxOldGenerationSizeMb) {
    all.push(`--max-old-space-size=${Math.ceil(limits.maxOldGenerationSizeMb)}`)
  }
  if (limits?.maxYoungGenerationSizeMb) {
    all.push(
      `--max-semi-space-size=${Math.max(1, Math.floor(limits.maxYoungGenerationSizeMb / 3))}`,
    )
  }
  if (limits?.stackSizeMb) all.push(`--stack-size=${Math.floor(limits.stackSizeMb * 1024)}`)
  return all
}

/**
 * @param {object} options
 * @param {string} options.worker its id
 * @param {string} options.connect where the manager listens
 * @param {string} options.token
 * @param {import('node:worker_threads').ResourceLimits} [options.resourceLimits]
 * @param {(reason: string) => void} exit
 * @returns {import('./crew').Handle}
 */
function makeProcess({ worker, connect, token, resourceLimits }, exit) {
  const child = fork(ENTRY, [String(process.pid)], {
    execArgv: flags(resourceLimits),
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    serialization: 'json',
  })
  let written = ''
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    written = (written + text).slice(-TAIL)
    process.stderr.write(text)
  })
  let failed = ''
  child.on('error', (error) => {
    failed = `failed: ${error.message}`
    if (child.pid === undefined) exit(failed)
  })
  child.on('message', (/** @type {any} */ letter) => {
    if (typeof letter?.failed === 'string') failed = `failed: ${letter.failed.slice(0, 1000)}`
  })
  // 'close' comes when all that was written has been read too.
  child.on('close', (code, signal) => exit(failed || reasonOf(code, signal, written)))
  // The secret goes neither through arguments nor through the environment, which others can read.
  child.send({ worker, connect, token }, () => {})
  child.unref()
  // It is a socket, which keeps the process alive unless told.
  /** @type {any} */
  const stderr = child.stderr
  stderr.unref()
  child.channel?.unref()
  return { terminate: () => void child.kill('SIGKILL') }
}

/**
 * @param {number | null} code
 * @param {string | null} signal
 * @param {string} written
 */
function reasonOf(code, signal, written) {
  if ((signal === 'SIGABRT' || code === 134) && NO_MEMORY.test(written)) return OUT_OF_MEMORY
  return signal ? `was killed by ${signal}` : `ended with exit code ${code}`
}

module.exports = { makeProcess }
