'use strict'

const fs = require('node:fs')
const { median } = require('../figures')

const sleeping = new Int32Array(new SharedArrayBuffer(4))

/**
 * CPU time of this thread so far, in milliseconds; of the process's main thread only. The kernel counts
 * it up to when the thread slept last, so that it sleeps a millisecond first. Elsewhere than on Linux it is
 * the time for which the event loop was not idle.
 */
function mainCpu() {
  try {
    Atomics.wait(sleeping, 0, 0, 1)
    return Number(fs.readFileSync('/proc/self/schedstat', 'latin1').split(' ')[0]) / 1e6
  } catch {
    return performance.eventLoopUtilization().active
  }
}

function processCpu() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** Passes before those that count. */
const WARM = 2

/** Passes at least and at most, however long they take. */
const [FEWEST, MOST] = [1, 60]

/**
 * Runs a pass again and again for about so many seconds.
 *
 * @param {() => Promise<void>} pass
 * @param {number} seconds
 * @param {number} [warm] passes before those that count
 * @returns {Promise<{ first: number, ms: number, least: number, main: number, cpu: number }>}
 *   milliseconds: the very first pass, the median and the least of the others; the CPU time of the main
 *   thread and of all of them in the mean pass
 */
async function passes(pass, seconds, warm = WARM) {
  const first = []
  for (let index = 0; index < warm; index++) first.push(await timed(pass))
  const times = []
  let sum = 0
  const [main, cpu] = [mainCpu(), processCpu()]
  while (times.length < FEWEST || (sum < seconds * 1000 && times.length < MOST)) {
    times.push(await timed(pass))
    sum += times.at(-1)
  }
  const count = times.length
  return {
    first: first[0] ?? times[0],
    ms: median(times),
    least: Math.min(...times),
    main: (mainCpu() - main) / count,
    cpu: (processCpu() - cpu) / count,
  }
}

async function timed(pass) {
  const start = performance.now()
  await pass()
  return performance.now() - start
}

module.exports = { passes, mainCpu, processCpu }
