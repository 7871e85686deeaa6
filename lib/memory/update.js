'use strict'

const { hasTurn, inTurn } = require('./turns.js')
const { pause, timeLeft } = require('./pause.js')
const { NONE } = require('./version.js')

/** So often others may be faster; then one after the other is. */
const PATIENCE = 16

/** @typedef {import('./source.js')} Source */
/** @typedef {(old: any) => unknown} Change */

/**
 * Replaces a value by what a function makes of it, again whenever somebody else was faster.
 * @param {Source} source
 * @param {string} key
 * @param {Change} fn
 * @param {AbortSignal} [signal]
 * @returns {Promise<unknown>} the new value
 */
async function update(source, key, fn, signal) {
  const found = await tries(source, key, fn, signal, PATIENCE)
  if (found !== null) return found.value
  if (hasTurn(source.name, key)) return (await tries(source, key, fn, signal, Infinity))?.value
  return source.run((backend) =>
    inTurn(
      backend,
      source.name,
      key,
      async () => (await tries(source, key, fn, signal, Infinity))?.value,
      signal,
    ),
  )
}

/**
 * @param {Source} source
 * @param {string} key
 * @param {Change} fn
 * @param {AbortSignal | undefined} signal
 * @param {number} most attempts
 * @returns {Promise<{ value: unknown } | null>} null: others were faster each time
 */
async function tries(source, key, fn, signal, most) {
  for (let attempt = 0; attempt < most; attempt++) {
    signal?.throwIfAborted()
    const entry = await source.run((backend) => backend.entry(key))
    const value = await fn(entry?.value)
    const expected = [{ key, version: entry?.version ?? NONE }]
    const { done } = await source.run((backend) =>
      backend.commit(expected, [backend.write(key, value, timeLeft(entry))]),
    )
    if (done) return { value }
    await pause(attempt)
  }
  return null
}

module.exports = { update }
