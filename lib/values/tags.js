'use strict'

// What kind of value some bytes are: the first byte of a value wherever it is stored or sent.

module.exports = {
  /** Never stored: there is no value. */
  ABSENT: 0,
  /** 8 bytes, an f64. */
  NUMBER: 1,
  /** A string, one byte a unit. */
  LATIN1: 2,
  /** A string, two bytes a unit. */
  UTF16: 3,
  TRUE: 4,
  FALSE: 5,
  NULL: 6,
  UNDEFINED: 7,
  /** JSON text, one byte a unit. */
  JSON: 8,
  /** JSON text, two bytes a unit. */
  JSON16: 9,
  /** What V8's serialisation writes. */
  STRUCTURED: 10,
  /** The bytes of a Uint8Array. */
  BYTES: 11,
  /** Many f64. */
  NUMBERS: 12,
}
