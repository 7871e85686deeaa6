'use strict'

// Values as V8 serialises them. Unlike `v8.serialize`, a Buffer arrives as the Uint8Array that
// structuredClone makes of it, and a view brings the bytes that it shows, not those around them.

const { Serializer, Deserializer } = require('node:v8')

/** Their places are what is stored: new ones go to the end. */
const VIEWS = [
  'Uint8Array',
  'Int8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'Float32Array',
  'Float64Array',
  'DataView',
  'BigInt64Array',
  'BigUint64Array',
  'Float16Array',
]

/** @param {ArrayBufferView} view */
function nameOf(view) {
  // Of a Buffer, or a class of somebody's, it is the name of the kind of array below.
  return /** @type {any} */ (view)[Symbol.toStringTag]
}

class ValueSerializer extends Serializer {
  /** @param {any} view */
  _writeHostObject(view) {
    const index = ArrayBuffer.isView(view) ? VIEWS.indexOf(nameOf(view)) : -1
    if (index < 0) throw new TypeError('an object of the host')
    this.writeUint32(index)
    this.writeUint32(view.byteLength)
    this.writeRawBytes(new Uint8Array(view.buffer, view.byteOffset, view.byteLength))
  }
}

class ValueDeserializer extends Deserializer {
  _readHostObject() {
    const Type = globalThis[VIEWS[this.readUint32()]]
    if (Type === undefined) throw new TypeError('a view of an unknown kind')
    const { buffer } = new Uint8Array(this.readRawBytes(this.readUint32()))
    return new Type(buffer)
  }
}

/** @returns {Buffer} */
function serialize(value) {
  const serializer = new ValueSerializer()
  // Not in the types of node 20.
  const internals = /** @type {any} */ (serializer)
  internals._setTreatArrayBufferViewsAsHostObjects(true)
  serializer.writeHeader()
  serializer.writeValue(value)
  return serializer.releaseBuffer()
}

/** @param {Uint8Array} bytes */
function deserialize(bytes) {
  const deserializer = new ValueDeserializer(bytes)
  deserializer.readHeader()
  return deserializer.readValue()
}

module.exports = { serialize, deserialize }
