'use strict'

// WebSocket frames as an attacker writes them. The mask is all zeros, so that a big payload is
// neither copied nor changed.

const OPCODE = { CONTINUATION: 0, TEXT: 1, BINARY: 2, CLOSE: 8, PING: 9, PONG: 10 }

/**
 * The header of a masked frame.
 *
 * @param {number} opcode
 * @param {number} length
 * @param {{ fin?: boolean, compressed?: boolean }} [options]
 */
function header(opcode, length, { fin = true, compressed = false } = {}) {
  const form = length > 65535 ? 8 : length > 125 ? 2 : 0
  const head = Buffer.alloc(2 + form + 4)
  head[0] = (fin ? 0x80 : 0) | (compressed ? 0x40 : 0) | opcode
  head[1] = 0x80 | (form === 8 ? 127 : form === 2 ? 126 : length)
  if (form === 8) head.writeBigUInt64BE(BigInt(length), 2)
  if (form === 2) head.writeUInt16BE(length, 2)
  return head
}

/** A whole frame with a short text. */
function textFrame(text) {
  const payload = Buffer.from(text)
  return Buffer.concat([header(OPCODE.TEXT, payload.length), payload])
}

/** Frames of many texts, in pieces of about a megabyte. */
function* manyFrames(count, text) {
  let pieces = []
  let size = 0
  for (let n = 0; n < count; n++) {
    const frame = textFrame(text(n))
    pieces.push(frame)
    size += frame.length
    if (size < 1 << 20) continue
    yield Buffer.concat(pieces)
    pieces = []
    size = 0
  }
  if (size > 0) yield Buffer.concat(pieces)
}

/**
 * Reads the frame at a position: its header, and whether all of it is there.
 *
 * @returns {{ opcode: number, start: number, end: number } | null}
 */
function readHeader(bytes, at) {
  if (bytes.length < at + 2) return null
  let length = bytes[at + 1] & 127
  let start = at + 2
  if (length === 126) {
    if (bytes.length < at + 4) return null
    length = bytes.readUInt16BE(at + 2)
    start = at + 4
  } else if (length === 127) {
    if (bytes.length < at + 10) return null
    length = Number(bytes.readBigUInt64BE(at + 2))
    start = at + 10
  }
  return { opcode: bytes[at] & 15, start, end: start + length }
}

module.exports = { OPCODE, header, manyFrames, readHeader, textFrame }
