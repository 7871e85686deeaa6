#!/usr/bin/env node
'use strict'

// npx es-networkcluster: looks at the log of a server that is not running, and repairs it.

const { log, usage } = require('./log.js')

const write = (/** @type {string} */ text) => process.stdout.write(text)

function main(/** @type {string[]} */ args) {
  if (args.includes('--help') || args.includes('-h')) {
    write(usage)
    return 0
  }
  const json = args.includes('--json')
  const [topic, action, directory, ...rest] = args.filter((arg) => arg !== '--json')
  const isKnown = topic === 'log' && Object.hasOwn(log, String(action))
  if (!isKnown || directory === undefined || rest.length > 0 || directory.startsWith('-')) {
    process.stderr.write(usage)
    return 2
  }
  try {
    return log[action](directory, json, write)
  } catch (error) {
    process.stderr.write(`${error.message}\n`)
    return 2
  }
}

// Whoever reads may have seen enough.
process.stdout.on('error', () => process.exit(2))
process.exitCode = main(process.argv.slice(2))
