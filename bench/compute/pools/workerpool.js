'use strict'

const { named } = require('./lists')

module.exports = (options) => {
  process.env.BENCH_DIRECTORY = options.directory
  const workerpool = require('workerpool')
  const { threads } = options
  const pool = workerpool.pool(require.resolve('./workerpool-worker'), {
    workerType: 'thread',
    minWorkers: threads,
    maxWorkers: threads,
  })
  return named(options, (name, argument) => pool.exec(name, [argument]))
}
