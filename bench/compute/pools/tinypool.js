'use strict'

const { pathToFileURL } = require('node:url')
const { named } = require('./lists')

module.exports = async (options) => {
  process.env.BENCH_DIRECTORY = options.directory
  const { default: Tinypool } = await import('tinypool')
  const { threads } = options
  const filename = pathToFileURL(require.resolve('./tasks')).href
  const pool = new Tinypool({ filename, minThreads: threads, maxThreads: threads })
  return named(options, (name, argument) => pool.run(argument, { name }))
}
