'use strict'

// One scenario with one peer: `node child.js '{"scenario": …, "peer": …}'`, started by measure.js.

const { peers } = require('./peers')
const { scenarios } = require('./scenarios')
const { processCpu } = require('./timing')

async function main() {
  // Not every pool keeps the process running while its workers work.
  setInterval(() => {}, 1000)
  const order = JSON.parse(process.argv[2])
  const { work, load } = scenarios[order.scenario]
  const { run } = require(`./work/${work}`)
  const figures = await run({ ...load, ...order, peer: peers[order.peer] })
  return { figures, cpu: processCpu() / 1000 }
}

/** Threads that still run end with the process. */
function end(message) {
  process.send(message, () => process.exit())
}

main().then(end, (error) => end({ error: error.stack ?? String(error) }))
