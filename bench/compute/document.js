'use strict'

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { chart } = require('../chart')
const { replaceSection } = require('../document')
const { median } = require('../figures')
const { short } = require('../numbers')
const { barTable } = require('./bars')
const { REDIS, serverVersion } = require('./peers')
const { scenarios } = require('./scenarios')
const { table } = require('./table')

/** CPUs that may be busy with something else without a remark. */
const DISTURBING = 0.3

const docs = path.join(__dirname, '../../docs')

/** Where and how the figures were taken, in a line. */
function conditions({ reps }) {
  const cpus = os.cpus()
  const redis = serverVersion(REDIS)
  return [
    new Date().toISOString().slice(0, 10),
    `${cpus.length} × ${cpus[0].model.replaceAll(/\(R\)|\(TM\)/g, '').trim()}`,
    `${os.type()} ${os.release().split('-')[0]}`,
    `Node.js ${process.versions.node}`,
    ...(redis === null ? [] : [`redis-server ${redis}`]),
    `medians of ${reps} processes`,
  ].join(' · ')
}

/** What a scenario's section consists of. */
function section(name, { rows, others }, circumstances) {
  const busy = median(others)
  const remark = busy < DISTURBING ? '' : ` · other processes took ${short(busy)} CPUs meanwhile`
  return [
    `![${scenarios[name].title}](benchmarks/compute-${name}.svg)`,
    table(scenarios[name], rows),
    `<sub>${circumstances}${remark}</sub>`,
  ].join('\n\n')
}

/**
 * Writes the tables into docs/benchmarks.md and the charts beside it.
 *
 * @param {Map<string, { rows: import('./figures').Row[], others: number[] }>} results by scenario
 * @param {Parameters<typeof barTable>[0]} judged
 * @param {string} circumstances
 */
function write(results, judged, circumstances) {
  const file = path.join(docs, 'benchmarks.md')
  let markdown = fs.readFileSync(file, 'utf8')
  fs.mkdirSync(path.join(docs, 'benchmarks'), { recursive: true })
  for (const [name, result] of results) {
    const text = section(name, result, circumstances)
    markdown = replaceSection(markdown, `compute-${name}`, text)
    const image = path.join(docs, 'benchmarks', `compute-${name}.svg`)
    fs.writeFileSync(image, chart(scenarios[name], result.rows))
  }
  if (results.size === Object.keys(scenarios).length)
    markdown = replaceSection(markdown, 'compute-bars', barTable(judged))
  fs.writeFileSync(file, markdown)
}

module.exports = { conditions, section, write }
