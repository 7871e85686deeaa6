'use strict'

// JSON text of what most events are emitted with, written while it is looked at: to look whether JSON
// keeps it and then to have it written takes twice as long.

const { getPrototypeOf, prototype } = Object
const { hasOwnProperty } = prototype

/** Strings with a character that has to be escaped, or half of one. */
const UNEVEN = /[^ !#-[\]-\ud7ff\ue000-\uffff]/
/** Longer strings are quicker written by JSON. */
const LONGEST = 100

/** Keys that were met, as they are written. @type {Map<string, string>} */
const written = new Map()
const MOST_KEYS = 1000

/**
 * @param {unknown[]} args
 * @returns {string | undefined} JSON text that keeps them as structuredClone does, if they are primitives,
 *   one of which may be an object of such; undefined: somebody else is to find out
 */
function shortText(args) {
  let text = '['
  let objects = 0
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]
    let part
    if (typeof arg !== 'object' || arg === null) part = primitive(arg)
    // The same one twice would not be the same one any more.
    else if (++objects === 1) part = flat(arg)
    if (part === undefined) return undefined
    text = i === 0 ? text + part : `${text},${part}`
  }
  return `${text}]`
}

/** @param {any} object */
function flat(object) {
  if (getPrototypeOf(object) !== prototype || object.toJSON !== undefined) return undefined
  let text = ''
  for (const key in object) {
    if (!hasOwnProperty.call(object, key)) continue
    const part = primitive(object[key])
    if (part === undefined) return undefined
    text = text === '' ? keyText(key) + part : `${text},${keyText(key)}${part}`
  }
  return `{${text}}`
}

/** @param {unknown} value */
function primitive(value) {
  switch (typeof value) {
    case 'number':
      // Neither -0 nor NaN nor infinite.
      return (value === 0 ? 1 / value > 0 : value - value === 0) ? `${value}` : undefined
    case 'string':
      return value.length <= LONGEST && !UNEVEN.test(value) ? `"${value}"` : undefined
    case 'boolean':
      return value ? 'true' : 'false'
    default:
      return value === null ? 'null' : undefined
  }
}

/** @param {string} key */
function keyText(key) {
  let text = written.get(key)
  if (text === undefined) {
    text = `${JSON.stringify(key)}:`
    if (written.size < MOST_KEYS) written.set(key, text)
  }
  return text
}

module.exports = shortText
