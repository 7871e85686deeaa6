'use strict'

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { chart } = require('./chart')
const { median } = require('./figures')
const { short } = require('./numbers')
const { scenarios } = require('./scenarios')
const { table } = require('./table')

/** CPUs that may be busy with something else without a remark. */
const DISTURBING = 0.3

const docs = path.join(__dirname, '../docs')

/**
 * Puts text between the markers of a name; throws if they are not there.
 *
 * @param {string} markdown
 * @param {string} name
 * @param {string} content
 * @returns {string}
 */
function replaceSection(markdown, name, content) {
  const [from, to] = [`<!-- generated: ${name} -->`, `<!-- end: ${name} -->`]
  const [start, end] = [markdown.indexOf(from), markdown.indexOf(to)]
  if (start < 0 || end < start) throw new Error(`no place for ${name} in the document`)
  return `${markdown.slice(0, start + from.length)}\n\n${content}\n\n${markdown.slice(end)}`
}

/** Where and how the figures were taken, in a line. */
function conditions(settings, place) {
  const cpus = os.cpus()
  const { reps, seconds } = settings
  return [
    new Date().toISOString().slice(0, 10),
    `${cpus.length} × ${cpus[0].model.replaceAll(/\(R\)|\(TM\)/g, '').trim()}`,
    `${os.type()} ${os.release().split('-')[0]}`,
    `Node.js ${process.versions.node}`,
    place.pinned ? `servers on CPU ${place.servers}, load on ${place.clients}` : 'not pinned',
    `medians of ${reps} × ${seconds} s`,
  ].join(' · ')
}

/** CPUs that neither the servers nor the load generator used; a run needs them to itself. */
function disturbance(rows) {
  const others = median(rows.map((row) => row.figures.others ?? 0))
  return others < DISTURBING ? '' : ` · other processes took ${short(others)} CPUs meanwhile`
}

/** What a scenario's section consists of. */
function section(name, rows, circumstances) {
  const image = `![${scenarios[name].title}](benchmarks/${name}.svg)`
  return [
    image,
    table(scenarios[name], rows),
    `<sub>${circumstances}${disturbance(rows)}</sub>`,
  ].join('\n\n')
}

/** Writes the tables into docs/benchmarks.md and the charts beside it. */
function write(rowsOf, circumstances) {
  const file = path.join(docs, 'benchmarks.md')
  let markdown = fs.readFileSync(file, 'utf8')
  fs.mkdirSync(path.join(docs, 'benchmarks'), { recursive: true })
  for (const [name, rows] of rowsOf) {
    markdown = replaceSection(markdown, name, section(name, rows, circumstances))
    fs.writeFileSync(path.join(docs, 'benchmarks', `${name}.svg`), chart(scenarios[name], rows))
  }
  fs.writeFileSync(file, markdown)
}

module.exports = { replaceSection, conditions, section, write }
