'use strict'

const hosts = require('../link/hosts.js')
const { openHere } = require('./opening.js')
const RemoteMemory = require('./remote.js')
const Source = require('./source.js')

/** @typedef {import('./options.js').MemoryOptions} MemoryOptions */
/** @typedef {ReturnType<typeof openHere>} Here */

// What analyses functions is loaded with the first one.
hosts.onRun((run) => require('./run-on-key.js').answer(run))

/**
 * The memory of that name in this process.
 * @param {string} name
 * @param {MemoryOptions} options
 */
function localSource(name, options) {
  return new Source(openHere(name, options), name, null)
}

/**
 * @param {string | URL} url
 * @param {MemoryOptions} options
 */
function urlSource(url, options) {
  /** @type {Here | undefined} */
  let here
  // Before anybody else asks for it: what the first one says of the memory counts.
  const prepare = (/** @type {string} */ name) => {
    here = openHere(name, options)
    return here.local === true ? undefined : here
  }
  const joined = hosts.join(url, { role: 'data', ...options.link, prepare })
  const { client, memoryName } = joined
  const backend = client === null ? /** @type {Here} */ (here) : new RemoteMemory(client, options)
  return new Source(backend, memoryName, joined, () => here)
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
