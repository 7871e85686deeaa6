'use strict'

const { test } = require('node:test')
const { startServer } = require('./server')

const isOurs = !process.env.SUBJECT || process.env.SUBJECT === '../..'
const transports = isOurs ? ['fd', 'bridge'] : ['default']
const TIMEOUT = 30000

/** Calls `define` once for each way in which an accepted socket can reach the server. */
function forEachTransport(define) {
  for (const transport of transports) define(transport)
}

/** And without an http.Server that is there before. */
const ways = isOurs ? [...transports, 'listen'] : transports

/**
 * A test which needs one running server, defined for each transport and for `listen`. The server is stopped at the
 * end, whatever happened, and every client which was made through it is closed.
 */
function behaviour(name, ...rest) {
  const body = rest.pop()
  const options = rest[0] || {}
  for (const transport of ways) {
    test(`${name} (${transport})`, { timeout: TIMEOUT }, async () => {
      const made = typeof options === 'function' ? await options() : options
      const running = await startServer({ ...made, ...transportOption(transport) })
      try {
        await body(running, transport)
      } finally {
        await running.stop()
      }
    })
  }
}

/** A test about what only this package promises. */
function oursTest(name, options, body) {
  if (typeof options === 'function') [options, body] = [{}, options]
  const skip = options.skip || (isOurs ? false : 'only this package promises it')
  return test(name, { timeout: TIMEOUT, ...options, skip }, body)
}

/** `behaviour`, for what only this package promises. */
function oursBehaviour(name, ...rest) {
  if (isOurs) return behaviour(name, ...rest)
  return test(name, { skip: 'only this package promises it' }, () => {})
}

const transportOption = (transport) => (transport === 'default' ? {} : { transport })

/** A tool outside npm: its absence is an error in CI, elsewhere a skipped test with the reason. */
function needsTool(present, message) {
  if (present) return false
  if (process.env.CI) throw new Error(message)
  return message
}

module.exports = {
  behaviour,
  forEachTransport,
  isOurs,
  needsTool,
  oursBehaviour,
  oursTest,
  transportOption,
  transports,
  ways,
}
