'use strict'

const { fork } = require('node:child_process')
const { once } = require('node:events')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { peers } = require('./peers')
const { startRedis } = require('./redis')
const { machineCpu } = require('../usage')

/** Milliseconds that one measurement may take at most. */
const PATIENCE = 45_000

const child = path.join(__dirname, 'child.js')

/**
 * Runs one scenario with one peer, in a process of its own.
 *
 * @param {string} scenario
 * @param {string} peer
 * @param {number} rounds of the 5 ms of work: see work/pool.js
 * @returns {Promise<{ figures: Record<string, number>, others: number | null }>} the figures, and how many
 *   CPUs something else used meanwhile; `null` where another process works for the measurement
 */
async function measure(scenario, peer, rounds) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'es-networkcluster-bench-'))
  const { executable } = peers[peer]
  const redis = executable ? await startRedis(executable, directory) : null
  const start = { at: performance.now(), machine: machineCpu() }
  try {
    const { figures, cpu } = await run({
      scenario,
      peer,
      rounds,
      directory,
      socket: redis?.socket,
    })
    const seconds = (performance.now() - start.at) / 1000
    const busy = machineCpu() - start.machine
    return { figures, others: redis ? null : Math.max(0, (busy - cpu) / seconds) }
  } finally {
    await redis?.stop()
    fs.rmSync(directory, { recursive: true, force: true })
  }
}

async function run(order) {
  const work = fork(child, [JSON.stringify(order)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    // JSON has no NaN.
    serialization: 'advanced',
  })
  const timer = setTimeout(() => work.kill('SIGKILL'), PATIENCE)
  let result = null
  work.on('message', (message) => (result = message))
  try {
    const [code, signal] = await once(work, 'exit')
    if (!result) throw new Error(`ended without a result (${signal ?? code})`)
    if (result.error) throw new Error(result.error)
    return result
  } finally {
    clearTimeout(timer)
  }
}

module.exports = { measure }
