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

/** Values that JSON does not have. @type {Map<string, unknown>} */
const SPECIAL = new Map([
  ['undefined', undefined],
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
  ['-0', -0],
])

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
 * @property {unknown} [value] what was thrown, if that was no error and JSON can say it
 * @property {string} [special] what was thrown, if JSON cannot say it: the name of one of `SPECIAL`
 * @property {string} [shown] of something else, its text
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
  if (!isError(thrown)) return tellValue(thrown)
  const get = (/** @type {string} */ name) => attempt(() => thrown[name])
  const code = get('code')
  /** @type {Told} */
  const told = {
    name: text(get('name')),
    message: text(get('message')),
    stack: text(get('stack')),
    code: typeof code === 'number' ? code : text(code),
  }
  const props = (attempt(() => Object.keys(thrown)) ?? [])
    .filter((name) => !NOT_PROPERTIES.has(name))
    .map((name) => [name, plain(get(name))])
    .filter(([, value]) => value !== undefined)
  if (props.length > 0) told.props = Object.fromEntries(props)
  if (depth >= DEEPEST) return told
  const [cause, errors] = [get('cause'), get('errors')]
  if (cause !== undefined) told.cause = tell(cause, depth + 1)
  if (Array.isArray(errors)) {
    told.errors = errors.slice(0, MOST_ERRORS).map((error) => tell(error, depth + 1))
  }
  return told
}

/**
 * @param {unknown} thrown
 * @returns {Told}
 */
function tellValue(thrown) {
  for (const [special, value] of SPECIAL) if (Object.is(thrown, value)) return { special }
  const value = plain(thrown)
  return value === undefined ? { shown: shown(thrown).slice(0, LONGEST_TEXT) } : { value }
}

/**
 * What was thrown, made anew: an error of the same name, message, stack, code and properties; or the
 * value, where it was no error.
 * @param {Told} told
 * @returns {any}
 */
function revive(told) {
  if ('value' in told) return told.value
  if (told.shown !== undefined) return told.shown
  if (told.special !== undefined) return SPECIAL.get(told.special)
  const error = /** @type {any} */ (bare(told))
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

/** @param {Told} told */
function bare({ name, message, errors }) {
  if (name === 'AggregateError' && errors !== undefined) return new AggregateError([], message)
  const Class = CLASSES.get(name ?? '') ?? Error
  return new Class(message)
}

/**
 * What was thrown here, as it would arrive from a worker, but errors as they are.
 * @param {unknown} thrown
 * @returns {unknown}
 */
const asTold = (thrown) => (isError(thrown) ? thrown : revive(tell(thrown)))

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

/** @param {any} cause */
function describe(cause) {
  if (!isError(cause)) return `${shown(cause)} was thrown`
  return attempt(() => `${cause.name}: ${cause.message}`) ?? 'an error that cannot be read'
}

/** @param {unknown} value as text */
function shown(value) {
  return attempt(() => String(value)) ?? `a value of type ${typeof value}`
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
  attempt(
    () => value instanceof Error || Object.prototype.toString.call(value) === '[object Error]',
  ) === true

/**
 * What is thrown may be anything: reading it may throw in turn.
 * @template T
 * @param {() => T} read
 * @returns {T | undefined}
 */
function attempt(read) {
  try {
    return read()
  } catch {
    return undefined
  }
}

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

module.exports = { failureOf, errorOf, taskError, asTold, abortError, isOwn, own }
