'use strict'

const { short } = require('./numbers')

const WIDTH = 960
const MARGIN = 16
const NAMES = 252
const VALUES = 56
const LINE = 26
const BAR = 16
const TOP = 64
const PANEL_GAP = 24

// In the middle between black and white where the background is not known; set in both cases
// where it is.
const STYLE = `
    text { font: 13px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #57606a }
    .title { font-size: 15px; font-weight: 600 }
    .ours { font-weight: 600 }
    .bar { fill: #8c959f }
    .bar.ours { fill: #2f81f7 }
    @media (prefers-color-scheme: dark) { text { fill: #adbac7 } .bar { fill: #768390 } }
  `

function escape(text) {
  const entities = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
  return text.replaceAll(/[&<>"]/g, (character) => entities[character])
}

function text(x, y, content, attributes = '') {
  return `  <text x="${x}" y="${y}"${attributes}>${escape(content)}</text>`
}

function panel({ figure, title, better }, rows, x, width) {
  const values = rows.map((row) => Math.max(0, row.figures[figure]))
  const most = Math.max(...values, Number.MIN_VALUE)
  const bars = rows.map((row, index) => {
    const y = TOP + index * LINE
    const length = Math.max(1, (values[index] / most) * (width - VALUES)).toFixed(1)
    const ours = row.ours ? ' ours' : ''
    return [
      `  <rect class="bar${ours}" x="${x}" y="${y}" width="${length}" height="${BAR}" rx="2"/>`,
      text((x + Number(length) + 6).toFixed(1), y + 13, short(row.figures[figure])),
    ].join('\n')
  })
  return [text(x, TOP - 14, `${title} (${better} is better)`), ...bars].join('\n')
}

/**
 * Bars of a scenario's panels side by side, as SVG for light and dark pages.
 *
 * @param {import('./scenarios').Scenario} scenario
 * @param {import('./figures').Row[]} rows
 * @returns {string}
 */
function chart(scenario, rows) {
  const height = TOP + rows.length * LINE + MARGIN - (LINE - BAR)
  const count = scenario.panels.length
  const space = WIDTH - NAMES - MARGIN * 2 - PANEL_GAP * (count - 1)
  const width = Math.floor(space / count)
  const names = rows.map((row, index) =>
    text(MARGIN, TOP + index * LINE + 13, row.title, row.ours ? ' class="ours"' : ''),
  )
  const panels = scenario.panels.map((each, index) =>
    panel(each, rows, MARGIN + NAMES + index * (width + PANEL_GAP), width),
  )
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img">`,
    `  <title>${escape(scenario.title)}</title>`,
    `  <style>${STYLE}</style>`,
    text(MARGIN, 24, scenario.title, ' class="title"'),
    ...names,
    ...panels,
    '</svg>',
    '',
  ].join('\n')
}

module.exports = { chart }
