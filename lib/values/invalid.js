'use strict'

const { types } = require('node:util')
const { NetworkClusterError } = require('../core/network-cluster-error.js')

/** More than this many objects are not searched for the one that cannot be stored. */
const MOST = 10_000

/**
 * @param {unknown} value what could not be serialised
 * @param {unknown} cause
 */
function invalidValue(value, cause) {
  const found = culprit(value)
  const reason = cause instanceof Error ? cause.message : String(cause)
  const message =
    found === null
      ? `the value cannot be stored: ${reason}`
      : `${found.path} is ${found.what}, which cannot be stored`
  return new NetworkClusterError('ERR_NC_INVALID_VALUE', message, { cause })
}

/**
 * Where in a value the first thing is that cannot be serialised.
 * @param {unknown} root
 * @returns {{ path: string, what: string } | null}
 */
function culprit(root) {
  const found = new Set()
  const queue = [{ value: root, path: 'value' }]
  try {
    for (const { value, path } of queue) {
      const what = kindOf(value)
      if (what !== null) return { path, what }
      if (typeof value !== 'object' || value === null || found.has(value)) continue
      found.add(value)
      if (found.size + queue.length > MOST) return null
      for (const member of members(value, path)) queue.push(member)
    }
  } catch {
    // A getter threw, the value explains itself no further.
  }
  return null
}

/** @param {unknown} value */
function kindOf(value) {
  if (typeof value === 'function')
    return types.isAsyncFunction(value) ? 'an async function' : 'a function'
  if (typeof value === 'symbol') return 'a symbol'
  if (typeof value !== 'object' || value === null) return null
  if (types.isProxy(value)) return 'a Proxy'
  if (types.isPromise(value)) return 'a Promise'
  if (types.isSharedArrayBuffer(value)) return 'a SharedArrayBuffer'
  if (types.isWeakMap(value)) return 'a WeakMap'
  if (types.isWeakSet(value)) return 'a WeakSet'
  if (value instanceof WeakRef) return 'a WeakRef'
  if (types.isGeneratorObject(value)) return 'a generator'
  if (types.isExternal(value) || types.isModuleNamespaceObject(value))
    return 'an object of the host'
  return null
}

/**
 * @param {object} value
 * @param {string} path
 */
function* members(value, path) {
  if (value instanceof Map) {
    let i = 0
    for (const [key, member] of value) {
      yield { value: key, path: `${path}.keys()[${i++}]` }
      yield {
        value: member,
        path: `${path}.get(${typeof key === 'string' ? JSON.stringify(key) : String(key)})`,
      }
    }
  } else if (value instanceof Set) {
    let i = 0
    for (const member of value) yield { value: member, path: `${path}.values()[${i++}]` }
  } else if (!ArrayBuffer.isView(value)) {
    for (const key of Object.keys(value)) yield { value: value[key], path: path + step(value, key) }
  }
}

/** @param {string} key */
function step(object, key) {
  if (Array.isArray(object) && /^\d+$/.test(key)) return `[${key}]`
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`
}

module.exports = { invalidValue }
