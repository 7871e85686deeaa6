'use strict'

// npm run bench:compute; see docs/benchmarks.md and args.js.

const { isStale } = require('../../scripts/addon')
const { build } = require('../../scripts/build')
const { installPeers } = require('../install')
const { short } = require('../numbers')
const { USAGE, parse } = require('./args')
const { bars, barTable, judge } = require('./bars')
const { conditions, write } = require('./document')
const { row } = require('./figures')
const { measure } = require('./measure')
const { missing, peers, peersOf, titleOf } = require('./peers')
const { scenarios } = require('./scenarios')
const { table } = require('./table')
const { calibrate } = require('./work/pool')

/** Runs a scenario: each repetition goes over all peers, starting with another one. */
async function runScenario(name, settings, rounds) {
  const names = peersOf(name, settings.peers)
  const runs = new Map(names.map((peer) => [peer, []]))
  const [problems, others] = [[], []]
  for (let rep = 0; rep < settings.reps; rep++) {
    for (let turn = 0; turn < names.length; turn++) {
      const peer = names[(rep + turn) % names.length]
      try {
        const outcome = await measure(name, peer, rounds)
        runs.get(peer).push(outcome.figures)
        if (outcome.others !== null) others.push(outcome.others)
        console.log(`${rep + 1} ${name} ${peer}: ${shown(outcome.figures)}`)
      } catch (error) {
        problems.push(`${name}, ${peer}: ${error.message}`)
        console.log(`${rep + 1} ${name} ${peer}: ${error.message}`)
      }
    }
  }
  const rows = names
    .filter((peer) => runs.get(peer).length > 0)
    .map((peer) => row(describe(peer), scenarios[name].better, runs.get(peer)))
  return { rows, others, problems }
}

function describe(name) {
  return { name, title: titleOf(peers[name]), ours: Boolean(peers[name].ours) }
}

function shown(figures) {
  return Object.entries(figures)
    .map(([name, value]) => `${name} ${short(value)}`)
    .join(', ')
}

/** What is not installed is left out, and throws if it was asked for: rather now than in minutes. */
function checkPeers(settings) {
  for (const name of settings.peers ?? Object.keys(peers)) {
    const executable = missing(name)
    if (!executable) continue
    if (settings.peers) throw new Error(`${executable} is not installed: needed for ${name}`)
    console.log(`${executable} is not installed: without ${name}`)
  }
}

/** The bars of what was measured. */
function judgeAll(results) {
  return bars
    .filter(({ scenario }) => results.has(scenario))
    .map((bar) => judge(bar, results.get(bar.scenario).rows, scenarios[bar.scenario].load))
    .filter((judged) => judged !== null)
}

async function main(given) {
  if (given.includes('--help')) {
    console.log(USAGE)
    return 0
  }
  const settings = parse(given)
  const problem = isStale() ? build() : null
  if (problem) throw new Error(problem)
  installPeers()
  checkPeers(settings)
  const circumstances = conditions(settings)
  console.log(circumstances)

  const rounds = calibrate()
  const results = new Map()
  const problems = []
  for (const name of settings.scenarios) {
    const result = await runScenario(name, settings, rounds)
    results.set(name, result)
    problems.push(...result.problems)
    console.log(`\n${scenarios[name].title}\n\n${table(scenarios[name], result.rows)}\n`)
  }
  const judged = judgeAll(results)
  console.log(`${barTable(judged)}\n`)
  if (problems.length > 0) {
    console.error(`Failed, nothing is written:\n${problems.join('\n')}`)
    return 1
  }
  if (settings.write) write(results, judged, circumstances)
  return settings.check && judged.some(({ reached }) => !reached) ? 1 : 0
}

main(process.argv.slice(2)).then(
  (code) => (process.exitCode = code),
  (error) => {
    console.error(`${error.message}\n\n${USAGE}`)
    process.exitCode = 2
  },
)
