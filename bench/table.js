'use strict'

const { short } = require('./numbers')

/** What ratios refer to unless a scenario says something else. */
const COMPARISON = {
  peer: 'socketcluster',
  figure: 'perSecond',
  title: '× socketcluster-server',
}

const plain = (title, figure) => ({ title, cell: (row) => short(row.figures[figure]) })

const ratio = ({ title, figure }) => ({
  title,
  cell: (row, reference) => {
    if (!reference) return '-'
    return short(row.figures[figure] / reference.figures[figure])
  },
})

function perSecond(title) {
  return {
    title,
    cell: (row) =>
      `${short(row.figures.perSecond)}${row.limited ? ' †' : ''} (${row.range.map(short).join('–')})`,
  }
}

const PLURALS = {
  delivery: 'deliveries',
  request: 'requests',
  publish: 'publishes',
  message: 'messages',
}

/** @param {import('./scenarios').Scenario} scenario */
function columns(scenario) {
  if (scenario.verb === 'idle') {
    return [
      plain('KB per connection', 'kbConnected'),
      plain('KB, subscribed', 'kbSubscribed'),
      plain('CPU s per 1000 handshakes', 'cpuPerThousand'),
      perSecond('handshakes/s (range)'),
      plain('RSS, MB', 'rss'),
    ]
  }
  const many = PLURALS[scenario.unit]
  if (scenario.verb === 'replay') {
    return [
      perSecond(`${many}/s (range)`),
      plain(`server CPU s per 1M ${many}`, 'cpuPerMillion'),
      plain('until the first, ms', 'wait'),
      plain('RSS, MB', 'rss'),
    ]
  }
  return [
    perSecond(`${many}/s (range)`),
    ...(scenario.openLoop ? [] : [ratio(scenario.comparison ?? COMPARISON)]),
    plain(`server CPU s per 1M ${many}`, 'cpuPerMillion'),
    plain('p50, ms', 'p50'),
    plain('p99, ms', 'p99'),
    plain('p99.9, ms', 'p999'),
    plain('RSS, MB', 'rss'),
  ]
}

/**
 * A table in Markdown.
 *
 * @param {import('./scenarios').Scenario} scenario
 * @param {import('./figures').Row[]} rows
 * @returns {string}
 */
function table(scenario, rows) {
  const all = columns(scenario)
  const { peer } = scenario.comparison ?? COMPARISON
  const reference = rows.find((row) => row.peer === peer)
  const line = (cells) => `| ${cells.join(' | ')} |`
  return [
    line(['server', ...all.map((column) => column.title)]),
    line(['---', ...all.map(() => '---:')]),
    ...rows.map((row) => {
      const title = row.ours ? `**${row.title}**` : row.title
      return line([title, ...all.map((column) => column.cell(row, reference))])
    }),
    ...(rows.some((row) => row.limited)
      ? ['', '† The load generator may have been the limit.']
      : []),
  ].join('\n')
}

module.exports = { table }
