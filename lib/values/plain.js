'use strict'

// Whether JSON keeps a value as structuredClone does: then its text is stored, which is shorter and
// several times faster to write and read.

const DEEPEST = 64
/** So many objects are looked through for one that was seen before faster than a Set finds it. */
const FEW = 16

const { hasOwnProperty } = Object.prototype
const { getPrototypeOf, keys } = Object

// The objects of the value looked at. One list for all calls: a getter that asks again gets its own.
/** @type {object[]} */
let seen = []
/** @type {Set<object> | null} */
let many = null
let busy = false

/**
 * Plain are null, booleans, strings, finite numbers except -0, and arrays and plain objects of plain
 * values, each of them in one place only. A property that is undefined, a hole, a further property of
 * an array, a toJSON, or more than 64 levels make it something else.
 * @param {object} value an object, not null
 */
function isPlain(value) {
  if (busy) return false
  busy = true
  try {
    return plainObject(value, 1)
  } finally {
    busy = false
    if (seen.length > 0) seen = []
    many = null
  }
}

/** @param {object} object */
function plainObject(object, depth) {
  if (depth > DEEPEST || /** @type {any} */ (object).toJSON !== undefined) return false
  const prototype = getPrototypeOf(object)
  if (prototype === Array.prototype) {
    return Array.isArray(object) && first(object) && plainItems(object, depth)
  }
  return (
    (prototype === Object.prototype || prototype === null) &&
    first(object) &&
    plainFields(object, depth)
  )
}

/** @param {object} object */
function plainFields(object, depth) {
  // Both `for in` and this check cost next to nothing together, unlike a list of the keys.
  for (const key in object) {
    if (hasOwnProperty.call(object, key) && !plainMember(object[key], depth)) return false
  }
  return true
}

/** @param {any[]} items */
function plainItems(items, depth) {
  const { length } = items
  for (let i = 0; i < length; i++) if (!plainMember(items[i], depth)) return false
  return keys(items).length === length
}

function plainMember(value, depth) {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true
    case 'number':
      return value === 0 ? 1 / value > 0 : value - value === 0
    case 'object':
      return value === null || plainObject(value, depth + 1)
    default:
      return false
  }
}

/** Whether the object was not met before. */
function first(object) {
  if (many !== null) {
    const { size } = many
    return many.add(object).size > size
  }
  for (let i = 0; i < seen.length; i++) if (seen[i] === object) return false
  seen.push(object)
  if (seen.length > FEW) many = new Set(seen)
  return true
}

module.exports = { isPlain }
