'use strict'

// Memory that threads and processes share.

const { memoryOptions } = require('./options.js')
const MemoryScope = require('./scope.js')
const { SharedMemoryClass, describeMemory } = require('./shared-memory.js')
const { connectionSource, localSource } = require('./open.js')
const { KINDS, Writer, frame } = require('../link/frames.js')

/** @typedef {import('./shared-memory.js').Described} Described */
/** @typedef {import('./remote.js').Connection} Connection */

/**
 * The memory that was described in this process, in any thread of it. To be closed.
 * @param {Described} described from `describeMemory`
 */
function openMemory({ name, here, url, options }) {
  return new SharedMemoryClass(here ? localSource(name, memoryOptions(options)) : url, options)
}

/**
 * What a function that runs elsewhere sees of a memory: get, getMany, has, set, delete, increment and
 * compareAndSet.
 * @param {import('./source.js')} source
 */
function scopeOver(source) {
  return new MemoryScope(source)
}

/**
 * The scope of a job for a worker in another process than the manager: over its connection to the
 * manager if that has the memory, else over one of its own.
 * @param {Described} described
 * @param {Connection} connection to the manager; stays the caller's
 * @returns {{ scope: MemoryScope, close(): void }}
 */
function openScope(described, connection) {
  if (!described.here) {
    const memory = openMemory(described)
    return { scope: memory, close: () => void memory.close() }
  }
  const options = memoryOptions({ serializer: described.options.serializer })
  const source = connectionSource(withMemory(connection, described.name), described.name, options)
  return { scope: scopeOver(source), close: () => source.close() }
}

/**
 * A connection for one memory of a machine, over one that is for something else. Changes cannot be
 * watched over it.
 * @param {Connection} connection
 * @param {string} name
 * @returns {Connection}
 */
function withMemory(connection, name) {
  return {
    begin(kind, body = new Uint8Array(0)) {
      // The number inside means nothing: the answer has the one of the frame around it.
      const inner = frame(kind, 0, body)
      return connection.begin(
        KINDS.WITH_MEMORY,
        new Writer(64 + inner.length).str(name).bytes(inner).finish(),
      )
    },
    abandon: (id, reason) => connection.abandon(id, reason),
    send: () => false,
    onPush() {},
  }
}

module.exports = { SharedMemoryClass, describeMemory, openMemory, openScope, scopeOver }
