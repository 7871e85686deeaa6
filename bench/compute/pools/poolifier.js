'use strict'

const { named } = require('./lists')

module.exports = async (options) => {
  process.env.BENCH_DIRECTORY = options.directory
  const { FixedThreadPool } = require('poolifier')
  const pool = new FixedThreadPool(options.threads, require.resolve('./poolifier-worker'), {
    enableEvents: false,
  })
  const each = { map: (task, items) => pool.mapExecute(items, task), close: () => pool.destroy() }
  if (options.each) return each
  return named(
    options,
    (name, argument) => pool.execute(argument, name),
    () => pool.destroy(),
  )
}
