'use strict'

// Strings as bytes. TextDecoder will not do: its 'latin1' is windows-1252, and its 'utf-16le'
// replaces lone surrogates.

const STEP = 8192

/** What Node.js has for it, which is faster; a browser has none. */
const NodeBuffer = typeof Buffer === 'function' ? Buffer : undefined

/**
 * @param {Uint8Array} bytes
 * @param {number} start
 * @param {number} end
 * @returns {string} one unit per byte
 */
function latin1(bytes, start, end) {
  if (NodeBuffer !== undefined) {
    return NodeBuffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1')
  }
  let text = ''
  for (let at = start; at < end; at += STEP) {
    text += String.fromCharCode(...bytes.subarray(at, Math.min(end, at + STEP)))
  }
  return text
}

/**
 * @param {Uint8Array} bytes
 * @param {number} start
 * @param {number} end an even number of bytes after `start`
 * @returns {string} one unit per two bytes, little endian
 */
function utf16(bytes, start, end) {
  if (NodeBuffer !== undefined) {
    return NodeBuffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf16le')
  }
  let text = ''
  for (let at = start; at < end; at += 2 * STEP) {
    const units = []
    const stop = Math.min(end, at + 2 * STEP)
    for (let i = at; i < stop; i += 2) units.push(bytes[i] | (bytes[i + 1] << 8))
    text += String.fromCharCode(...units)
  }
  return text
}

/**
 * @param {string} text units below 256 only
 * @param {Uint8Array} out
 * @param {number} at
 */
function putLatin1(text, out, at) {
  for (let i = 0; i < text.length; i++) out[at + i] = text.charCodeAt(i)
}

/**
 * @param {string} text
 * @param {Uint8Array} out
 * @param {number} at
 */
function putUtf16(text, out, at) {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    out[at + 2 * i] = unit
    out[at + 2 * i + 1] = unit >> 8
  }
}

module.exports = { latin1, utf16, putLatin1, putUtf16 }
