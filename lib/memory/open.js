'use strict'

const hosts = require('../link/hosts.js')
const LocalMemory = require('./local.js')
const RemoteMemory = require('./remote.js')
const Source = require('./source.js')

/** @typedef {import('./options.js').MemoryOptions} MemoryOptions */

// What analyses functions is loaded with the first one.
hosts.onRun((run) => require('./run-on-key.js').answer(run))

/**
 * The memory of that name in this process.
 * @param {string} name
 * @param {MemoryOptions} options
 */
function localSource(name, options) {
  return new Source(new LocalMemory(name, options), name, null, options)
}

/**
 * @param {string | URL} url
 * @param {MemoryOptions} options
 */
function urlSource(url, options) {
  const joined = hosts.join(url, { role: 'data', ...options.link })
  try {
    const { client, memoryName } = joined
    const backend =
      client === null ? new LocalMemory(memoryName, options) : new RemoteMemory(client, options)
    return new Source(backend, memoryName, joined, options)
  } catch (error) {
    joined.close()
    throw error
  }
}

/**
 * A memory of another process over a connection that is kept by somebody else.
 * @param {import('./remote.js').Connection} connection
 * @param {string} name
 * @param {MemoryOptions} options
 */
function connectionSource(connection, name, options) {
  return new Source(new RemoteMemory(connection, options), name, null, options)
}

module.exports = { localSource, urlSource, connectionSource }
