'use strict'

const { named } = require('./lists')

module.exports = async (options) => {
  process.env.BENCH_DIRECTORY = options.directory
  const { FixedThreadPool } = require('poolifier')
  const pool = new FixedThreadPool(options.threads, require.resolve('./poolifier-worker'), {
    enableEvents: false,
  })
  while (!pool.info.ready) await new Promise((resolve) => setTimeout(resolve, 5))
  if (options.each) return { map: (task, items) => pool.mapExecute(items, task) }
  return named(options, (name, argument) => pool.execute(argument, name))
}
