'use strict'

const { named } = require('./lists')

module.exports = (options) => {
  process.env.BENCH_DIRECTORY = options.directory
  const { Piscina } = require('piscina')
  const { threads } = options
  const filename = require.resolve('./tasks')
  const pool = new Piscina({ filename, minThreads: threads, maxThreads: threads })
  return named(options, (name, argument) => pool.run(argument, { name }))
}
