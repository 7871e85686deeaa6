'use strict'

// Checks of the options of machines: every name is known, every value is what it should be.

const { NetworkClusterError } = require('../core/network-cluster-error')

/**
 * @typedef {object} Rule
 * @property {(value: any) => boolean} holds
 * @property {string} expected what the value must be, as the end of a sentence
 * @property {unknown} [fallback] what stands for an option that is not given
 */

/** @param {string} message */
const invalid = (message) => new NetworkClusterError('ERR_NC_INVALID_ARG', message)

/** @param {unknown} value a value for an error message, short */
function shown(value) {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 60))
  if (typeof value === 'function') return 'a function'
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' && value !== null ? 'an object' : String(value)
}

/**
 * @param {number} least
 * @param {number} most
 * @param {number} [fallback]
 * @returns {Rule}
 */
const integer = (least, most, fallback) => ({
  holds: (value) => Number.isInteger(value) && value >= least && value <= most,
  expected: `an integer from ${least} to ${most}`,
  fallback,
})

/**
 * @param {readonly unknown[]} values
 * @param {unknown} [fallback]
 * @returns {Rule}
 */
const oneOf = (values, fallback) => ({
  holds: (value) => values.includes(value),
  expected: `one of ${values.map(shown).join(', ')}`,
  fallback,
})

/** @type {(fallback?: boolean) => Rule} */
const boolean = (fallback) => ({
  holds: (value) => typeof value === 'boolean',
  expected: 'true or false',
  fallback,
})

/** @type {Rule} */
const url = {
  holds: (value) => (typeof value === 'string' && value !== '') || value instanceof URL,
  expected: 'a URL, or its text',
}

/** @type {Rule} a secret both sides know */
const token = {
  holds: (value) => typeof value === 'string' && value.length > 0 && value.length <= 4096,
  expected: 'a string of 1 to 4096 characters',
}

/** @type {Rule} */
const text = {
  holds: (value) => typeof value === 'string' && value !== '',
  expected: 'a string that is not empty',
}

/** A text that can only be the name of a function: no function is written so. */
const NAME = /^[\w$.:@/-]{1,256}$/

/** @type {Rule} */
const callback = { holds: (value) => typeof value === 'function', expected: 'a function' }

/**
 * @param {Rule} rule what each must be
 * @param {unknown} [fallback]
 * @returns {Rule}
 */
const listOf = (rule, fallback) => ({
  holds: (value) => Array.isArray(value) && value.every(rule.holds),
  expected: `an array, each ${rule.expected}`,
  fallback,
})

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
const isObject = (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof URL)

/** Roles an Adaptable can be told to take. */
const ROLES = ['adaptable', 'worker', 'data', 'events', 'proxy']

/**
 * The given options with what they leave out, in a new object.
 *
 * @param {string} owner whose options they are, for messages
 * @param {unknown} given
 * @param {Record<string, Rule>} rules
 * @returns {any}
 */
function check(owner, given, rules) {
  if (given !== undefined && !isObject(given)) {
    throw invalid(`${owner}: the options must be an object, not ${shown(given)}`)
  }
  for (const name of Object.keys(given ?? {})) {
    if (!Object.hasOwn(rules, name)) {
      const known = Object.keys(rules).join(', ')
      throw invalid(`${owner}: there is no option ${shown(name)}; there are ${known}`)
    }
  }
  /** @type {Record<string, unknown>} */
  const all = {}
  for (const [name, rule] of Object.entries(rules)) {
    const value = given?.[name]
    if (value !== undefined && !rule.holds(value)) {
      throw invalid(`${owner}: ${name} must be ${rule.expected}, not ${shown(value)}`)
    }
    all[name] = value === undefined ? rule.fallback : value
  }
  return all
}

/**
 * @param {string} owner
 * @param {Record<string, unknown>} options checked ones
 * @param {readonly string[]} names those that must be there
 */
function needs(owner, options, names) {
  for (const name of names) {
    if (options[name] === undefined) throw invalid(`${owner}: the option ${name} is needed`)
  }
}

module.exports = {
  NAME,
  ROLES,
  check,
  needs,
  invalid,
  shown,
  isObject,
  integer,
  oneOf,
  boolean,
  url,
  token,
  text,
  callback,
  listOf,
}
