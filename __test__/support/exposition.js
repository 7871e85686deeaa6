'use strict'

// A strict reader of version 0.0.4 of Prometheus' exposition format.

const assert = require('node:assert/strict')

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const SAMPLE = /^([^{ ]+)(?:\{(.*)\})? (\S+)$/
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/y
const ESCAPES = { '\\\\': '\\', '\\"': '"', '\\n': '\n' }

function labelsOf(text = '') {
  const labels = {}
  LABEL.lastIndex = 0
  while (LABEL.lastIndex < text.length) {
    const match = LABEL.exec(text)
    assert.ok(match, `labels: ${text}`)
    const [, name, value] = match
    assert.ok(!(name in labels), `label twice: ${text}`)
    labels[name] = value.replace(/\\[\\"n]/g, (escape) => ESCAPES[escape])
  }
  return labels
}

/**
 * Reads the families of a text: each has its help, its type, and its samples in one place, and no
 * sample comes twice.
 * @returns {Map<string, { type: string, help: string, samples: { labels: object, value: number }[] }>}
 */
function parse(text) {
  assert.ok(text.endsWith('\n'), 'the last line ends')
  const families = new Map()
  const seen = new Set()
  const lines = text.slice(0, -1).split('\n')
  let name
  for (const [index, line] of lines.entries()) {
    const [, keyword, subject, rest] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) || []
    if (keyword === 'HELP') {
      assert.match(subject, NAME)
      assert.ok(!families.has(subject), `family twice: ${subject}`)
      assert.match(lines[index + 1], new RegExp(`^# TYPE ${subject} `))
      name = subject
      families.set(name, { help: rest, type: '', samples: [] })
    } else if (keyword === 'TYPE') {
      assert.equal(subject, name)
      assert.ok(['counter', 'gauge'].includes(rest), line)
      assert.equal(name.endsWith('_total'), rest === 'counter', line)
      families.get(name).type = rest
    } else {
      const match = SAMPLE.exec(line)
      assert.ok(match, `line: ${line}`)
      assert.equal(match[1], name, 'a sample stands with its family')
      const labels = labelsOf(match[2])
      const key = name + JSON.stringify(Object.entries(labels).sort())
      assert.ok(!seen.has(key), `sample twice: ${line}`)
      seen.add(key)
      const value = Number(match[3])
      assert.ok(Number.isFinite(value) && value >= 0, line)
      families.get(name).samples.push({ labels, value })
    }
  }
  return families
}

module.exports = { parse }
