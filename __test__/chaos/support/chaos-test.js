'use strict'

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { test } = require('node:test')
const { isOurs } = require('../../support/behaviour')

/** Rounds, clients and timers beyond what CI takes make these tests long. */
const PATIENCE = process.env.ES_NETWORKCLUSTER_CHAOS_LONG ? 1_800_000 : 120_000

/** A test about what only this server has: `chaosTest(name, [options,] define)`. */
function chaosTest(name, ...rest) {
  const define = rest.pop()
  const skip = isOurs ? (rest[0]?.skip ?? false) : 'only this package promises it'
  test(name, { timeout: PATIENCE, skip }, define)
}

/** Calls `use` with a new folder, which does not outlive it. */
async function withDirectory(use) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'es-networkcluster-chaos-'))
  try {
    await use(directory)
  } finally {
    fs.rmSync(directory, { recursive: true, force: true })
  }
}

module.exports = { chaosTest, withDirectory }
