'use strict'

// A server with kept channels, and names of channels that nobody else uses.

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const support = require('../support')

const STREAMS = [
  { match: 'kept/*', class: 'history' },
  { match: 'seen/*', class: 'history', presence: true },
  { match: 'few/*', class: 'history', size: 3 },
]

const startKept = (options) => support.startServer({ streams: STREAMS, ...options })

let names = 0

/** A channel whose class the prefix says. */
function kept(prefix = 'kept') {
  return /^\w+$/.test(prefix) ? `${prefix}/${++names}` : `kept/${++names}${prefix}`
}

/** The values of a stream from now on. */
function collected(stream) {
  const values = []
  values.count = (count) =>
    support.eventually(() => values.length >= count, `${count} values of a stream`)
  support.consume(stream, (value) => {
    values.push(value)
  })
  return values
}

/** A folder that is gone after the test. */
function temporaryDirectory(context) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'kept-'))
  context.after(() => fs.rmSync(directory, { recursive: true, force: true }))
  return directory
}

module.exports = { ...support, STREAMS, collected, kept, startKept, temporaryDirectory }
