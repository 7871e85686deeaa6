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
  return new Source(new LocalMemory(name, options), name, null)
}

/**
 * @param {string | URL} url
 * @param {MemoryOptions} options
 */
function urlSource(url, options) {
  /** @type {LocalMemory | undefined} */
  let local
  // Before anybody else asks for it: what the first one says of the memory counts.
  const prepare = (/** @type {string} */ name) => void (local = new LocalMemory(name, options))
  const joined = hosts.join(url, { role: 'data', ...options.link, prepare })
  const { client, memoryName } = joined
  const backend = client === null ? own() : new RemoteMemory(client, options)
  return new Source(backend, memoryName, joined, own)

  function own() {
    return /** @type {LocalMemory} */ (local)
  }
}

/**
 * A memory of another process over a connection that is kept by somebody else.
 * @param {import('./remote.js').Connection} connection
 * @param {string} name
 * @param {MemoryOptions} options
 */
function connectionSource(connection, name, options) {
  return new Source(new RemoteMemory(connection, options), name, null)
}

module.exports = { localSource, urlSource, connectionSource }
