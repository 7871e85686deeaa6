'use strict'

// Long work on all cores with a progress bar: counts the primes below a limit, range by range. Ends
// early with Ctrl-C. Usage: node examples/long-work [limit]

const { IteratorClass, ScalabilityManager, SharedMemoryClass } = require('../..')

const limit = Number(process.argv[2] ?? 20_000_000)
const step = 50_000

const Iterator = new IteratorClass(ScalabilityManager)
const memory = new SharedMemoryClass()
const stop = new AbortController()
process.once('SIGINT', () => stop.abort(new Error('stopped by Ctrl-C')))

/** Runs in a worker: it sees its parameters and what it declares, nothing of this file. */
async function countPrimes(from, scope) {
  const step = await scope.get('step')
  const limit = await scope.get('limit')
  const to = Math.min(from + step, limit)
  const composite = new Uint8Array(to - from)
  for (let factor = 2; factor * factor < to; factor++) {
    let multiple = Math.max(factor * factor, Math.ceil(from / factor) * factor)
    for (; multiple < to; multiple += factor) composite[multiple - from] = 1
  }
  let primes = 0
  for (let n = Math.max(from, 2); n < to; n++) primes += 1 - composite[n - from]
  return primes
}

function bar({ done, total }) {
  const filled = Math.round((done / total) * 40)
  const percent = String(Math.floor((done / total) * 100)).padStart(3)
  process.stdout.write(`\r[${'#'.repeat(filled)}${'.'.repeat(40 - filled)}] ${percent} %`)
}

async function main() {
  await memory.set({ step, limit })
  const starts = Array.from({ length: Math.ceil(limit / step) }, (_, i) => i * step)
  const begun = performance.now()
  const counts = await new Iterator(starts)
    .useScope(memory)
    .map(countPrimes, { onProgress: bar, signal: stop.signal })
  const primes = counts.reduce((sum, count) => sum + count, 0)
  const seconds = ((performance.now() - begun) / 1000).toFixed(1)
  console.log(`\n${primes} primes below ${limit}, in ${seconds} s`)
}

main().catch((error) => {
  console.error(`\n${error.message}${error.cause ? `: ${error.cause.message}` : ''}`)
  process.exitCode = 1
})
