'use strict'

// The options of streams: which channels keep what, and where.

const path = require('path')
const { invalidOptions } = require('../core/errors')
const { matcher, overlap } = require('./globs')

const MOST_PATTERNS = 1000
const DEFAULT_SIZE = 1000
const DEFAULT_BYTES = 1024 * 1024
const DEFAULT_MEMORY = 256 * 1024 * 1024
/** Names whose class is remembered. */
const MOST_REMEMBERED = 4096

const CLASSES = ['plain', 'history', 'durable', 'replicated']
const MEMBERS = new Set(['match', 'class', 'size', 'age', 'bytes', 'presence'])
const RETENTION = ['size', 'age', 'bytes']
/** The core would not see it as it is. */
const LONE_SURROGATE = /\p{Surrogate}/u

/**
 * Throws InvalidOptionsError for what cannot be served.
 * @param {Record<string, any>} options
 */
function check({ streams, storage, streamMemory, brokerEngine }) {
  if (streams == null) {
    if (storage != null) throw invalidOptions('The storage option needs the streams option')
    if (streamMemory != null) {
      throw invalidOptions('The streamMemory option needs the streams option')
    }
    return
  }
  if (!Array.isArray(streams) || streams.length > MOST_PATTERNS) {
    throw invalidOptions(
      `The streams option must be an array of at most ${MOST_PATTERNS} patterns of channels`,
    )
  }
  for (const [index, stream] of streams.entries()) checkStream(`streams[${index}]`, stream)
  checkOverlaps(streams.map(({ match }) => match))
  checkStorage(streams, storage)
  if (streamMemory != null && !isCount(streamMemory)) {
    throw invalidOptions('The streamMemory option must be a whole number of bytes, at least 1')
  }
  if (brokerEngine) {
    throw invalidOptions('The streams option needs the built-in broker, not a brokerEngine')
  }
}

function checkStream(place, stream) {
  if (typeof stream !== 'object' || stream === null) {
    throw invalidOptions(`${place} must be an object with match and class`)
  }
  for (const name of Object.keys(stream)) {
    if (!MEMBERS.has(name)) throw invalidOptions(`${place} has an unknown member: ${name}`)
  }
  const { match, presence } = stream
  if (typeof match !== 'string' || match === '' || LONE_SURROGATE.test(match)) {
    throw invalidOptions(`${place}.match must be the name of a channel, or a pattern with '*'`)
  }
  if (presence !== undefined && typeof presence !== 'boolean') {
    throw invalidOptions(`${place}.presence must be true or false`)
  }
  checkClass(place, stream)
}

function checkClass(place, stream) {
  if (!CLASSES.includes(stream.class)) {
    throw invalidOptions(`${place}.class must be one of: ${CLASSES.join(', ')}`)
  }
  if (stream.class === 'replicated') {
    throw invalidOptions(
      `${place}.class: replicated is not available in this version`,
      'ERR_CLASS_UNAVAILABLE',
    )
  }
  if (stream.class === 'plain') {
    const given = RETENTION.find((name) => stream[name] !== undefined)
    if (given) throw invalidOptions(`${place}.${given}: a plain channel keeps nothing`)
    return
  }
  for (const name of ['size', 'bytes']) {
    if (stream[name] !== undefined && !isCount(stream[name])) {
      throw invalidOptions(`${place}.${name} must be a whole number, at least 1`)
    }
  }
  const { age } = stream
  if (age !== undefined && !(Number.isFinite(age) && age >= 0)) {
    throw invalidOptions(`${place}.age must be a number of milliseconds, or 0 for any age`)
  }
}

function isCount(value) {
  return Number.isSafeInteger(value) && value >= 1
}

function checkOverlaps(patterns) {
  for (const [index, pattern] of patterns.entries()) {
    for (let other = 0; other < index; other++) {
      if (overlap(pattern, patterns[other])) {
        throw invalidOptions(
          `streams[${other}] and streams[${index}] could match the same channel: ` +
            `'${patterns[other]}' and '${pattern}'`,
        )
      }
    }
  }
}

function checkStorage(streams, storage) {
  if (storage != null && !(typeof storage.directory === 'string' && storage.directory !== '')) {
    throw invalidOptions('The storage option must be an object with a directory')
  }
  const durable = streams.find((stream) => stream.class === 'durable')
  if (durable && storage == null) {
    throw invalidOptions(
      `The durable channels '${durable.match}' need the storage option`,
      'ERR_NO_STORAGE',
    )
  }
}

/**
 * What the core is given once, at the start.
 * @param {Record<string, any>} options
 */
function nativeStreams({ streams, storage, streamMemory = DEFAULT_MEMORY }) {
  if (streams == null) return {}
  return {
    streams: streams.map(nativeStream),
    ...(storage == null ? {} : { storageDirectory: path.resolve(storage.directory) }),
    streamMemory: streamMemory === null ? DEFAULT_MEMORY : streamMemory,
  }
}

function nativeStream(stream) {
  const { match, size = DEFAULT_SIZE, age = 0, bytes = DEFAULT_BYTES, presence = false } = stream
  const kept = stream.class !== 'plain'
  return {
    pattern: match,
    class: stream.class,
    size: kept ? size : 0,
    age: kept ? age : 0,
    bytes: kept ? bytes : 0,
    presence,
  }
}

/** Which channels are kept. */
class KeptChannels {
  /** @param {{ match: string, class: string }[]} streams */
  constructor(streams) {
    this._matchers = streams
      .filter((stream) => stream.class !== 'plain')
      .map(({ match }) => matcher(match))
    /** @type {Map<string, boolean>} */
    this._known = new Map()
  }

  /** @param {string} channel */
  has(channel) {
    let kept = this._known.get(channel)
    if (kept === undefined) {
      kept = this._matchers.some((matches) => matches(channel))
      if (this._known.size >= MOST_REMEMBERED) this._known.clear()
      this._known.set(channel, kept)
    }
    return kept
  }
}

module.exports = { KeptChannels, check, nativeStreams }
