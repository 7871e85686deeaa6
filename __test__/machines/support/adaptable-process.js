'use strict'

// A process that is what a manager tells it to be, until it is ended.

const { Adaptable } = require('../../../lib/machines')

const [connect, token] = process.argv.slice(2)
const adaptable = new Adaptable({ connect, ...(token && { token }) })
process.once('disconnect', () => process.exit(0))
adaptable.start().catch(() => process.exit(1))
