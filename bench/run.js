'use strict'

// npm run bench; see docs/benchmarks.md and args.js.

const { USAGE, parse } = require('./args')
const { place } = require('./cpus')
const { conditions, write } = require('./document')
const { faultsOf, row } = require('./figures')
const { install, loadgen } = require('./install')
const { measure } = require('./measure')
const { short } = require('./numbers')
const { command, missing, peers, peersOf, titleOf } = require('./peers')
const { scenarios } = require('./scenarios')
const { table } = require('./table')

/** Runs a scenario: each repetition goes over all peers, starting with another one. */
async function runScenario(name, settings, where) {
  const names = peersOf(name, settings.peers)
  const outcomes = new Map(names.map((peer) => [peer, []]))
  const problems = []
  for (let rep = 0; rep < settings.reps; rep++) {
    for (let turn = 0; turn < names.length; turn++) {
      const peer = names[(rep + turn) % names.length]
      try {
        const outcome = await measure(name, peer, settings, where)
        outcomes.get(peer).push(outcome)
        const wrong = faultsOf(outcome)
        if (wrong) problems.push(`${name}, ${peer}: ${wrong}`)
        console.log(progress(rep, outcome, wrong))
      } catch (error) {
        problems.push(`${name}, ${peer}: ${error.message}`)
        console.log(`${rep + 1} ${peer}: ${error.message}`)
      }
    }
  }
  const rows = names
    .filter((peer) => outcomes.get(peer).length > 0)
    .map((peer) => row(describe(peer), outcomes.get(peer)))
  return { rows, problems }
}

function describe(name) {
  return { name, title: titleOf(peers[name]), ours: Boolean(peers[name].ours) }
}

/** Throws if a peer is not to be had here: rather now than in ten minutes. */
function checkPeers(settings) {
  for (const scenario of settings.scenarios) {
    for (const name of peersOf(scenario, settings.peers)) command(peers[name])
  }
  for (const name of settings.peers ? [] : Object.keys(peers)) {
    if (missing(name)) console.log(`${missing(name)} is not installed: without ${name}`)
  }
}

function progress(rep, { scenario, peer, figures }, wrong) {
  const shown = Object.entries(figures).map(([name, value]) => `${name} ${short(value)}`)
  return `${rep + 1} ${scenario} ${peer}: ${shown.join(', ')}${wrong ? ` - ${wrong}` : ''}`
}

async function main(given) {
  if (given.includes('--help')) {
    console.log(USAGE)
    return 0
  }
  const settings = parse(given)
  install()
  checkPeers(settings)
  const where = place(settings)
  const circumstances = conditions(settings, where)
  console.log(`${circumstances}\n${loadgen}`)

  const rowsOf = new Map()
  const problems = []
  for (const name of settings.scenarios) {
    const result = await runScenario(name, settings, where)
    rowsOf.set(name, result.rows)
    problems.push(...result.problems)
    console.log(`\n${scenarios[name].title}\n\n${table(scenarios[name], result.rows)}\n`)
  }
  if (problems.length > 0) {
    console.error(`Failed, nothing is written:\n${problems.join('\n')}`)
    return 1
  }
  if (settings.write) write(rowsOf, circumstances)
  return 0
}

main(process.argv.slice(2)).then(
  (code) => (process.exitCode = code),
  (error) => {
    console.error(`${error.message}\n\n${USAGE}`)
    process.exitCode = 2
  },
)
