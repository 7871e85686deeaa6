'use strict'

// The server under attack: `npm run bench:abuse -- --help`.

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { isStale } = require('../../scripts/addon')
const { build } = require('../../scripts/build')
const { replaceSection } = require('../document')
const { median } = require('../figures')
const { short } = require('../numbers')
const { USAGE, parse } = require('./args')
const { endedWell, missedBy, outcomeText } = require('./bars')
const { measure } = require('./measure')
const { OURS } = require('./modules')
const { table } = require('./table')

const FIGURES = ['peak', 'before', 'after', 'wait', 'quiet', 'seconds', 'cpu']

/** One report of several: medians, and the first bad end if there was one. */
function merge(name, reports) {
  const bad = reports.find((report) => !endedWell(name, report))
  const merged = { ...(bad ?? reports[0]) }
  for (const figure of FIGURES) merged[figure] = median(reports.map((report) => report[figure]))
  return merged
}

async function runAttack(name, settings) {
  const reports = []
  for (let rep = 0; rep < settings.reps; rep++) {
    const report = await measure(name, settings.module)
    const figures = FIGURES.map((figure) => `${figure} ${short(report[figure])}`).join(', ')
    const warnings = Object.entries(report.state.warnings ?? {}).map((it) => it.join(' × '))
    console.log(`${name}: ${figures}; ${outcomeText(report.outcome)}; warnings: ${warnings}`)
    reports.push(report)
  }
  return merge(name, reports)
}

/** Where and how the figures were taken, in a line. */
function circumstances(settings, reports) {
  const cpus = os.cpus()
  const quiet = Math.max(...[...reports.values()].map((report) => report.quiet))
  return [
    new Date().toISOString().slice(0, 10),
    `${cpus.length} × ${cpus[0].model.replaceAll(/\(R\)|\(TM\)/g, '').trim()}`,
    `${os.type()} ${os.release().split('-')[0]}`,
    `Node.js ${process.versions.node}`,
    `medians of ${settings.reps}`,
    `longest wait before the attacks ${short(quiet)} ms`,
  ].join(' · ')
}

function write(text) {
  const file = path.join(__dirname, '../../docs/benchmarks.md')
  fs.writeFileSync(file, replaceSection(fs.readFileSync(file, 'utf8'), 'abuse', text))
}

async function main(given) {
  if (given.includes('--help')) {
    console.log(USAGE)
    return 0
  }
  const settings = parse(given)
  const problem = settings.module === OURS && isStale() ? build() : null
  if (problem) throw new Error(problem)
  const reports = new Map()
  for (const name of settings.attacks) reports.set(name, await runAttack(name, settings))
  const text = `${table(reports)}\n\n<sub>${circumstances(settings, reports)}</sub>`
  console.log(`\n${text}\n`)
  if (settings.write) write(text)
  const missed = [...reports].flatMap(([name, report]) =>
    missedBy(name, report).map((what) => `${name}: ${what}`),
  )
  if (missed.length === 0) return 0
  console.log(`Bars that were missed:\n${missed.join('\n')}`)
  return settings.check ? 1 : 0
}

main(process.argv.slice(2)).then(
  (code) => (process.exitCode = code),
  (error) => {
    console.error(`${error.message}\n\n${USAGE}`)
    process.exitCode = 2
  },
)
