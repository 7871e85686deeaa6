'use strict'

const { makeInline } = require('./inline-member')
const { makeProcess } = require('./process-member')
const { makeThread } = require('./thread-member')

/**
 * How a manager makes workers.
 *
 * @param {string} pool
 * @param {{ workerType: 'thread' | 'process' | 'inline', resourceLimits?: object }} options
 * @param {import('./reception')} reception
 * @returns {import('./crew').Make}
 */
function makerFor(pool, { workerType, resourceLimits }, reception) {
  if (workerType === 'inline') return (worker, exit) => makeInline({ pool, worker }, exit)
  if (workerType === 'thread') {
    return (worker, exit) => makeThread({ pool, worker, resourceLimits }, exit)
  }
  return (worker, exit) => {
    const { connect, token } = reception.forProcesses()
    return makeProcess({ worker, connect, token, resourceLimits }, exit)
  }
}

module.exports = { makerFor }
