'use strict'

const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')

/**
 * @typedef {object} Usage
 * @property {number} cpu seconds since the start
 * @property {number} rss bytes
 */

const PAGE = setting('PAGESIZE', 4096)
const TICKS = setting('CLK_TCK', 100)

function setting(name, otherwise) {
  try {
    return Number(execFileSync('getconf', [name], { encoding: 'utf8' })) || otherwise
  } catch {
    return otherwise
  }
}

/** One line of /proc: who started the process, its CPU time in ticks and its memory in pages. */
function stat(pid) {
  try {
    const text = fs.readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name, in parentheses, may hold anything.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0)
    return { parent: Number(fields[1]), ticks, pages: Number(fields[21]) }
  } catch {
    return null
  }
}

/** Of a process and its descendants, by /proc. */
function fromProc(pid) {
  const all = new Map()
  for (const name of fs.readdirSync('/proc')) {
    const found = /^\d+$/.test(name) ? stat(name) : null
    if (found) all.set(Number(name), found)
  }
  const belongs = (each) => each === pid || (all.has(each) && belongs(all.get(each).parent))
  const family = [...all.keys()].filter(belongs).map((each) => all.get(each))
  return {
    cpu: family.reduce((sum, each) => sum + each.ticks, 0) / TICKS,
    rss: family.reduce((sum, each) => sum + each.pages, 0) * PAGE,
  }
}

/** Of a process, by what it says itself. */
function fromProcess(child) {
  return new Promise((resolve, reject) => {
    const gone = () => reject(new Error('the server has ended'))
    child.once('exit', gone)
    child.once('message', (usage) => {
      child.off('exit', gone)
      resolve(usage)
    })
    child.send('usage')
  })
}

/**
 * What a server has used so far.
 *
 * @param {import('child_process').ChildProcess} child
 * @returns {Promise<Usage>}
 */
async function usage(child) {
  return process.platform === 'linux' ? fromProc(child.pid) : fromProcess(child)
}

/** Seconds of CPU time that everything on this machine has taken. */
function machineCpu() {
  const busy = os.cpus().map(({ times }) => times.user + times.nice + times.sys + times.irq)
  return busy.reduce((sum, each) => sum + each, 0) / 1000
}

module.exports = { usage, machineCpu, fromProc, fromProcess }
