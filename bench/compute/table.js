'use strict'

const { short } = require('../numbers')

/** @param {import('./scenarios').Column} column @param {import('./figures').Row} row */
function cell({ figure, as }, row) {
  const value = short(row.figures[figure])
  if (as !== 'range') return value
  return `${value} (${short(row.best[figure])}–${short(row.range[figure][1])})`
}

/**
 * A table in Markdown.
 *
 * @param {import('./scenarios').Scenario} scenario
 * @param {import('./figures').Row[]} rows
 * @returns {string}
 */
function table({ columns }, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`
  return [
    line(['', ...columns.map(({ title }) => title)]),
    line(['---', ...columns.map(() => '---:')]),
    ...rows.map((row) => {
      const title = row.ours ? `**${row.title}**` : row.title
      return line([title, ...columns.map((column) => cell(column, row))])
    }),
  ].join('\n')
}

module.exports = { table }
