'use strict'

// The default codec's encoding, for packets that hold nothing it writes differently from JSON.
const formatter = require('sc-formatter')

const { encode } = formatter

// How JSON writes a Buffer (also one that a `toJSON` returned) and what looks like one, and how it
// writes an ArrayBuffer.
const MAYBE_BINARY = /"type":"Buffer"|\{"0":|\{\}/

/** Whether a codec encodes as the default one does. */
function encodesByDefault(codec) {
  return codec.encode === encode
}

/** What `codec` makes of a packet; its callback for each value is spared where that can be. */
function encodePacket(codec, packet) {
  if (!encodesByDefault(codec) || typeof packet !== 'object') return codec.encode(packet)
  let text
  try {
    text = JSON.stringify(packet)
  } catch {
    // The codec fails in its own words.
    return codec.encode(packet)
  }
  return text === undefined || MAYBE_BINARY.test(text) ? codec.encode(packet) : text
}

const DATA_PREFIX = '{"data":'

/**
 * JSON text of a payload; nothing for `undefined`. Encoded as the member of an object, since that
 * is what it is in the packet: what JSON leaves out is left out, and toJSON gets the same key.
 */
function encodeData(data) {
  const text = encodePacket(formatter, { data })
  return text === '{}' ? undefined : text.slice(DATA_PREFIX.length, -1)
}

module.exports = { encodeData, encodePacket, encodesByDefault }
