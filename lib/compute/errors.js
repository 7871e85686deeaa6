'use strict'

// What a function threw, on its way from the worker to whoever asked for the work: as JSON.

const { NetworkClusterError, TaskError } = require('../core/network-cluster-error')

// A cause of a cause: so many of them are told.
const DEEPEST = 8
// Of an AggregateError.
const MOST_ERRORS = 100
const LONGEST_TEXT = 64 * 1024
/** Told on their own, or made anew where the error arrives. */
const NOT_PROPERTIES = new Set(['name', 'message', 'stack', 'code', 'cause', 'errors'])

const CLASSES = new Map(
  [EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map((Class) => [
    Class.name,
    Class,
  ]),
)

/** @typedef {InstanceType<typeof NetworkClusterError>} NcError */

/**
 * @typedef {object} Told an error as data
 * @property {string} [name]
 * @property {string} [message]
 * @property {string} [stack]
 * @property {string | number} [code]
 * @property {Record<string, unknown>} [props] own enumerable properties that JSON can say
 * @property {Told} [cause]
 * @property {Told[]} [errors] of an AggregateError
 * @property {unknown} [value] what was thrown, if that was no error
 */

/**
 * @typedef {object} Failure of an item, as it is sent
 * @property {import('../core/network-cluster-error').ErrorCode} [code]
 * @property {string} [message]
 * @property {string} [workerId]
 * @property {number} [attempts]
 * @property {number} [tries] further ones, by the worker itself
 * @property {Told} [thrown] absent if the function did not throw
 */

/**
 * @param {any} thrown
 * @returns {Told}
 */
function tell(thrown, depth = 0) {
  if (!isError(thrown)) return { value: plain(thrown) ?? String(thrown) }
  /** @type {Told} */
  const told = {
    name: text(thrown.name),
    message: text(thrown.message),
    stack: text(thrown.stack),
    code: typeof thrown.code === 'number' ? thrown.code : text(thrown.code),
  }
  const props = Object.keys(thrown)
    .filter((name) => !NOT_PROPERTIES.has(name))
    .map((name) => [name, plain(thrown[name])])
    .filter(([, value]) => value !== undefined)
  if (props.length > 0) told.props = Object.fromEntries(props)
  if (depth < DEEPEST && thrown.cause !== undefined) told.cause = tell(thrown.cause, depth + 1)
  if (depth < DEEPEST && Array.isArray(thrown.errors)) {
    told.errors = thrown.errors.slice(0, MOST_ERRORS).map((error) => tell(error, depth + 1))
  }
  return told
}

/**
 * What was thrown, made anew: an error of the same name, message, stack, code and properties; or the
 * value, where it was no error.
 * @param {Told} told
 * @returns {any}
 */
function revive(told) {
  if ('value' in told) return told.value
  const Class = CLASSES.get(told.name ?? '') ?? Error
  const error = /** @type {any} */ (new Class(told.message))
  if (told.name !== undefined && error.name !== told.name) hidden(error, 'name', told.name)
  if (told.stack !== undefined) hidden(error, 'stack', told.stack)
  if (told.cause !== undefined) hidden(error, 'cause', revive(told.cause))
  if (told.errors !== undefined) hidden(error, 'errors', told.errors.map(revive))
  if (told.code !== undefined) error.code = told.code
  // Defined, not assigned: a name that came from elsewhere must not reach the prototype.
  for (const [name, value] of Object.entries(told.props ?? {})) {
    Object.defineProperty(error, name, {
      value,
      enumerable: true,
      writable: true,
      configurable: true,
    })
  }
  return error
}

/**
 * @param {unknown} thrown
 * @param {string} worker
 * @param {number} attempts
 * @param {number} [tries] further ones, by the worker itself
 * @returns {string} a `Failure` as JSON
 */
function failureOf(thrown, worker, attempts, tries) {
  /** @type {Failure} */
  const failure = { workerId: worker, attempts, tries }
  if (isOwn(thrown)) {
    failure.code = thrown.code
    failure.message = thrown.message
  } else failure.thrown = tell(thrown)
  return JSON.stringify(failure)
}

/** Errors of ours that end an item as if it had thrown: they keep their code. */
const ours = new WeakSet()

/**
 * @template {NcError} E
 * @param {E} error
 * @returns {E}
 */
function own(error) {
  ours.add(error)
  return error
}

/**
 * @param {any} error
 * @returns {error is NcError}
 */
function isOwn(error) {
  return ours.has(error)
}

/**
 * @param {number} itemIndex below 0 if it is about no item
 * @param {string} json a `Failure`
 * @returns {NcError}
 */
function errorOf(itemIndex, json) {
  const failure = /** @type {Failure} */ (JSON.parse(json))
  if (itemIndex < 0) {
    return new NetworkClusterError(
      failure.code ?? 'ERR_NC_TASK_FAILED',
      failure.message ?? 'failed',
    )
  }
  const cause = failure.thrown === undefined ? undefined : revive(failure.thrown)
  return taskError(itemIndex, failure, cause)
}

/**
 * @param {number} itemIndex
 * @param {Failure} failure
 * @param {unknown} cause
 */
function taskError(itemIndex, { code, message, workerId = '', attempts = 1, tries = 0 }, cause) {
  return new TaskError(message ?? `item ${itemIndex}: ${describe(cause)}`, {
    code,
    itemIndex,
    workerId,
    attempts: attempts + tries,
    cause,
  })
}

/** @param {unknown} cause */
function describe(cause) {
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : `${String(cause)} was thrown`
}

/**
 * What an aborted signal makes of an operation.
 * @param {AbortSignal} signal
 * @returns {Error} named AbortError, its `cause` the signal's reason
 */
function abortError(signal) {
  const error = new Error('The operation was aborted', { cause: signal.reason })
  hidden(error, 'name', 'AbortError')
  return Object.assign(error, { code: 'ABORT_ERR' })
}

/** @param {any} value of this realm or another */
const isError = (value) =>
  value instanceof Error || Object.prototype.toString.call(value) === '[object Error]'

/** @param {unknown} value */
const text = (value) => (typeof value === 'string' ? value.slice(0, LONGEST_TEXT) : undefined)

/** @param {unknown} value what JSON makes of it, undefined if it cannot */
function plain(value) {
  try {
    const json = JSON.stringify(value)
    return json === undefined || json.length > LONGEST_TEXT ? undefined : JSON.parse(json)
  } catch {
    return undefined
  }
}

/** @param {object} error @param {string} name @param {unknown} value */
function hidden(error, name, value) {
  Object.defineProperty(error, name, { value, writable: true, configurable: true })
}

module.exports = { failureOf, errorOf, taskError, abortError, isOwn, own }
