'use strict'

const { short } = require('../numbers')
const { attacks } = require('./attacks')
const { barsOf, missedBy, outcomeText } = require('./bars')

const line = (cells) => `| ${cells.join(' | ')} |`

const HEAD = [
  'attack',
  'survived',
  'peak (after), MB',
  'longest wait, ms',
  's',
  'CPU, s',
  'attacker got',
  'bar',
]

/**
 * A table in Markdown.
 *
 * @param {Map<string, import('./measure').Report>} reports
 */
function table(reports) {
  const rows = [...reports].map(([name, report]) => {
    const missed = missedBy(name, report).length > 0
    return line([
      attacks[name].title,
      report.survived ? 'yes' : '**no**',
      `${short(report.peak)} (${short(report.after)})`,
      short(report.wait),
      short(report.seconds),
      short(report.cpu),
      outcomeText(report.outcome),
      `${barsOf(name)}${missed ? ' †' : ''}`,
    ])
  })
  const remark = rows.some((row) => row.endsWith('† |')) ? ['', '† A bar is missed.'] : []
  const lines = [line(HEAD), line(HEAD.map((_, index) => (index in [0, 1] ? '---' : '---:')))]
  return [...lines, ...rows, ...remark].join('\n')
}

module.exports = { table }
