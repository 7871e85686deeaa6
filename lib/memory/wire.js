'use strict'

// Bodies of frames about memories: the same between processes and between JavaScript and the addon.

const { Reader, Writer } = require('../link/frames.js')
const { bytesOf, decode, encode, tags } = require('../values')
const { timestampOf } = require('./version.js')

/**
 * @typedef {object} Expected the version that a key is to have
 * @property {string} key
 * @property {string} version
 */

/**
 * @typedef {object} Write
 * @property {string} key
 * @property {number} tag ABSENT: the key is deleted
 * @property {number | Uint8Array} [data] as it is sent
 * @property {number} ttl milliseconds; 0 for ever
 */

/** @typedef {import('../../types/shared-memory').Entry<any>} Entry */
/** @typedef {import('../../types/shared-memory').Change<any>} Change */

const DELETE = 0
const PUT = 1
const TYPES = /** @type {const} */ (['', 'set', 'delete', 'expire', 'reset'])

/**
 * A write of what was encoded last.
 * @param {string} key
 * @param {import('../values').Data} data from `encode`
 * @param {number} ttl
 * @returns {Write}
 */
function put(key, data, ttl) {
  const sent = typeof data === 'number' ? data : bytesOf(data)
  return { key, tag: encode.tag, data: sent, ttl }
}

/**
 * @param {string} key
 * @returns {Write}
 */
function remove(key) {
  return { key, tag: tags.ABSENT, ttl: 0 }
}

/**
 * The body of COMMIT.
 * @param {readonly Expected[]} expected
 * @param {readonly Write[]} writes
 * @returns {Uint8Array}
 */
function commitBody(expected, writes) {
  const writer = new Writer(256)
  writer.u16(expected.length)
  for (const { key, version } of expected) writer.str(key).version(version)
  writer.u16(writes.length)
  for (const { key, tag, data, ttl } of writes) {
    writer.str(key)
    if (tag === tags.ABSENT) writer.u8(DELETE)
    else writer.u8(PUT).f64(ttl).value(tag, data)
  }
  return writer.finish()
}

/**
 * @param {string} key
 * @param {string} version
 * @param {number} expiresAt 0 for never
 * @returns {Entry}
 */
function entryOf(key, value, version, expiresAt) {
  const entry = { key, value, version, timestamp: timestampOf(version) }
  return expiresAt === 0 ? entry : { ...entry, expiresAt }
}

/**
 * The values of entries by key: a plain object in which '__proto__' is a key like any other.
 * @param {readonly (Entry | undefined)[]} entries
 */
function objectOf(entries) {
  const values = {}
  for (const entry of entries) {
    if (entry === undefined) continue
    const { key, value } = entry
    if (key === '__proto__') {
      Object.defineProperty(values, key, {
        value,
        enumerable: true,
        writable: true,
        configurable: true,
      })
    } else values[key] = value
  }
  return values
}

/** @param {InstanceType<typeof Reader>} reader */
function readValue(reader) {
  const data = reader.value()
  return decode(reader.tag, data)
}

/**
 * @template T
 * @typedef {object} Page a part of a partition
 * @property {T[]} items
 * @property {string} after behind which key the next one begins; '' if this is the last one
 */

/**
 * What SCAN answers.
 * @param {Uint8Array} body
 * @returns {Page<string>}
 */
function readKeys(body) {
  return readPage(
    new Reader(body),
    (reader) => reader.str(),
    (key) => key,
  )
}

/**
 * What SCAN with values answers.
 * @param {Uint8Array} body
 * @returns {Page<Entry>}
 */
function readEntries(body) {
  return readPage(
    new Reader(body),
    (reader) => {
      const key = reader.str()
      const version = reader.version()
      const expiresAt = reader.f64()
      return entryOf(key, readValue(reader), version, expiresAt)
    },
    ({ key }) => key,
  )
}

/**
 * @template T
 * @param {InstanceType<typeof Reader>} reader
 * @param {(reader: InstanceType<typeof Reader>) => T} read
 * @param {(item: T) => string} keyOf
 * @returns {Page<T>}
 */
function readPage(reader, read, keyOf) {
  const more = reader.u8() === 1
  const items = Array.from({ length: reader.u32() }, () => read(reader))
  if (more && items.length === 0) throw new RangeError('a page of nothing before the last one')
  return { items, after: more ? keyOf(items[items.length - 1]) : '' }
}

/**
 * The next one of CHANGES.
 * @param {InstanceType<typeof Reader>} reader
 * @returns {Change}
 */
function readChange(reader) {
  const type = TYPES[reader.u8()]
  const key = reader.str()
  const version = reader.version()
  if (type !== 'set') return { type: /** @type {'delete'} */ (type), key, version }
  return { type, key, value: readValue(reader), version }
}

module.exports = {
  put,
  remove,
  commitBody,
  entryOf,
  objectOf,
  readValue,
  readKeys,
  readEntries,
  readChange,
  Reader,
  Writer,
}
