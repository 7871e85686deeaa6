'use strict'

/**
 * How a manager makes workers. What only the others need is not read: the first work waits for it.
 *
 * @param {string} pool
 * @param {{ workerType: 'thread' | 'process' | 'inline', resourceLimits?: object }} options
 * @param {import('./reception')} reception
 * @returns {import('./crew').Make}
 */
function makerFor(pool, { workerType, resourceLimits }, reception) {
  if (workerType === 'inline') {
    const { makeInline } = require('./inline-member')
    return (worker, exit) => makeInline({ pool, worker }, exit)
  }
  if (workerType === 'thread') {
    const { makeThread } = require('./thread-member')
    return (worker, exit) => makeThread({ pool, worker, resourceLimits }, exit)
  }
  const { makeProcess } = require('./process-member')
  return (worker, exit) => {
    const { connect, token } = reception.forProcesses()
    return makeProcess({ worker, connect, token, resourceLimits }, exit)
  }
}

module.exports = { makerFor }
