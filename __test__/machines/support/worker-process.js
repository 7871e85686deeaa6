'use strict'

// A process that works for a manager until it is ended.

const { Worker } = require('../../../lib/machines')

const [connect, token] = process.argv.slice(2)
const worker = new Worker({ connect, token })
process.once('disconnect', () => process.exit(0))
worker.start().catch(() => process.exit(1))
