'use strict'

// Functions that run where a key's value is, one at a time for each key.

const { types } = require('node:util')
const { NetworkClusterError } = require('../core/network-cluster-error.js')
const { describe, compile } = require('../functions')
const { encode, decode, tags } = require('../values')
const { error } = require('./check.js')
const LocalMemory = require('./local.js')
const { memoryOptions } = require('./options.js')
const { pause, timeLeft } = require('./pause.js')
const { inTurn } = require('./turns.js')
const { NONE } = require('./version.js')
const wire = require('./wire.js')

/** Attempts, if others set the key without waiting for their turn. */
const ATTEMPTS = 100

/** @typedef {import('./source.js')} Source */
/** @typedef {import('../functions').Description} Description */

/**
 * @param {Source} source
 * @param {string} key
 * @param {unknown} fn
 * @param {readonly unknown[]} args
 * @returns {Promise<any>}
 */
async function runOnKey(source, key, fn, args) {
  const description = describe(fn, { uses: 'entry' })
  const data = encode(args)
  const { tag } = encode
  return source.run(async (/** @type {import('./source.js').Backend} */ backend) => {
    if (backend.here === true) {
      const memory = backend.local === true ? backend : await backend.memory()
      return runHere(memory, source.name, key, description, () => decode(tag, data))
    }
    return unwrap(await backend.runOnKey(key, description, args))
  })
}

/**
 * @param {LocalMemory} memory
 * @param {string} name
 * @param {string} key
 * @param {Description} description
 * @param {() => unknown[]} args new ones for each attempt
 */
function runHere(memory, name, key, description, args) {
  return inTurn(memory, name, key, async () => {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const done = await attemptOn(memory, key, description, args())
      if (done !== null) return done.result
      await pause(attempt)
    }
    throw error(
      'ERR_NC_CONFLICT',
      `the key ${JSON.stringify(key)} was set by others, ${ATTEMPTS} times`,
    )
  })
}

/**
 * @param {LocalMemory} memory
 * @param {string} key
 * @param {Description} description
 * @param {unknown[]} args
 * @returns {Promise<{ result: unknown } | null>} null: the key was set meanwhile
 */
async function attemptOn(memory, key, description, args) {
  const before = memory.entry(key)
  const written = before === undefined ? null : copied(memory.write(key, before.value, 0))
  const entry = Object.defineProperty({ key, value: before?.value }, 'key', { writable: false })
  const result = aloneResult(await call(description, [entry, ...args]))
  const write =
    entry.value === undefined ? wire.remove(key) : memory.write(key, entry.value, timeLeft(before))
  if (same(written, write)) return { result }
  const { done } = await memory.commit([{ key, version: before?.version ?? NONE }], [write])
  return done ? { result } : null
}

/**
 * @param {Description} description
 * @param {unknown[]} args
 */
async function call(description, args) {
  try {
    const [result] = await compile(description, 'call').run(
      [args],
      0,
      null,
      undefined,
      () => undefined,
    )
    return result
  } catch (failure) {
    throw failure instanceof NetworkClusterError
      ? failure
      : (/** @type {any} */ (failure).cause ?? failure)
  }
}

/** The result as another process would get it: nothing in it is shared with the caller. */
function aloneResult(result) {
  if (typeof result !== 'object' || result === null) {
    if (typeof result !== 'function' && typeof result !== 'symbol') return result
  }
  try {
    const data = encode(result)
    const { tag } = encode
    return tag === tags.BYTES
      ? Uint8Array.from(/** @type {Uint8Array} */ (data))
      : decode(tag, data)
  } catch (cause) {
    const { message } = /** @type {Error} */ (cause)
    throw new NetworkClusterError('ERR_NC_UNSERIALIZABLE_RESULT', `of the result, ${message}`, {
      cause,
    })
  }
}

/**
 * A value of bytes is the bytes themselves, which the function may write to.
 * @param {wire.Write} write
 */
function copied(write) {
  return write.data instanceof Uint8Array ? { ...write, data: Uint8Array.from(write.data) } : write
}

/**
 * Whether a write would change nothing.
 * @param {wire.Write | null} before
 * @param {wire.Write} write
 */
function same(before, write) {
  if (before === null) return write.tag === tags.ABSENT
  if (before.tag !== write.tag) return false
  if (!(before.data instanceof Uint8Array)) return Object.is(before.data, write.data)
  return Buffer.compare(before.data, /** @type {Uint8Array} */ (write.data)) === 0
}

/**
 * Runs a function for another process.
 * @param {import('../link/machine.js').Run} run
 * @returns {Promise<Uint8Array>}
 */
async function answer({ memory: name, key, json, args }) {
  const description = describe(String(JSON.parse(json).source), { uses: 'entry' })
  const memory = new LocalMemory(name, memoryOptions({ nearCache: false }))
  try {
    const read = () => wire.readValue(new wire.Reader(args))
    const { tag, data } = wire.put(
      key,
      encode(await wrap(runHere(memory, name, key, description, read))),
      0,
    )
    return new wire.Writer().value(tag, data).finish()
  } finally {
    memory.close(error('ERR_NC_CLOSED', 'the function has ended'))
  }
}

/**
 * A result, or what the function threw, with its own properties as far as they can be sent.
 * @param {Promise<unknown>} running
 */
async function wrap(running) {
  try {
    return { result: await running }
  } catch (reason) {
    if (reason instanceof NetworkClusterError) throw reason
    if (!types.isNativeError(reason)) return { thrown: sendable(reason) ? reason : String(reason) }
    const { name, message, stack, cause } = reason
    const own = Object.entries({ ...reason, name, message, stack, cause })
    return {
      failed: Object.fromEntries(own.filter(([, value]) => value !== undefined && sendable(value))),
    }
  }
}

function sendable(value) {
  try {
    encode(value)
    return true
  } catch {
    return false
  }
}

/** @param {any} answer what `wrap` made */
function unwrap(answer) {
  if ('result' in answer) return answer.result
  if ('thrown' in answer) throw answer.thrown
  const { failed } = answer
  const failure = new Error(failed.message)
  for (const key of Object.keys(failed)) {
    const enumerable = !['name', 'message', 'stack', 'cause'].includes(key)
    Object.defineProperty(failure, key, {
      value: failed[key],
      enumerable,
      writable: true,
      configurable: true,
    })
  }
  throw failure
}

module.exports = { runOnKey, answer }
