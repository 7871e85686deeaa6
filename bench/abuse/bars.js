'use strict'

const { attacks } = require('./attacks')
const { short } = require('../numbers')

/** Figures with a bar: what is compared, and how it is said. */
const LIMITS = {
  wait: { value: (report) => report.wait, text: (most) => `wait < ${most} ms` },
  peak: { value: (report) => report.peak, text: (most) => `peak < ${most} MB` },
  growth: { value: (report) => report.peak - report.before, text: (most) => `growth < ${most} MB` },
  seconds: { value: (report) => report.seconds, text: (most) => `< ${most} s` },
  cpu: { value: (report) => report.cpu, text: (most) => `< ${most} s of CPU` },
}

/** The bars of an attack, in words. */
function barsOf(name) {
  const { bars } = attacks[name]
  const limits = Object.keys(LIMITS).filter((limit) => limit in bars)
  return limits.map((limit) => LIMITS[limit].text(bars[limit])).join(', ')
}

/** Whether the server lives, and the attackers got what they should. */
function endedWell(name, { survived, outcome, state }) {
  const wanted = attacks[name].bars.outcome
  return survived && (!wanted || wanted(outcome, state))
}

/**
 * The bars that were missed, in words.
 *
 * @param {string} name
 * @param {import('./measure').Report} report
 * @returns {string[]}
 */
function missedBy(name, report) {
  if (!report.survived) return ['the server ended, or the connection of another client']
  const { bars } = attacks[name]
  const missed = Object.entries(LIMITS)
    .filter(([limit, { value }]) => limit in bars && !(value(report) < bars[limit]))
    .map(([limit, { value, text }]) => `${text(bars[limit])}: ${short(value(report))}`)
  return endedWell(name, report) ? missed : [...missed, outcomeText(report.outcome)]
}

/** `100k answers, closed 1008`. */
function outcomeText(outcome) {
  const parts = Object.entries(outcome).filter(([, count]) => count > 0)
  const once = ([name, count]) => count === 1 && /^(closed|cut|no)/.test(name)
  const text = ([name, count]) => {
    if (count === 1) return `1 ${name.replace(/s$/, '')}`
    return `${count < 1000 ? count : short(count)} ${name}`
  }
  return parts.map((it) => (once(it) ? it[0] : text(it))).join(', ') || '-'
}

module.exports = { barsOf, endedWell, missedBy, outcomeText }
