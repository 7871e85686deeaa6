'use strict'

// Names (of channels and events) travel as JSON text without the quotes: any JavaScript string
// survives that, also one that is no valid UTF-16.

// eslint-disable-next-line no-control-regex
const NEEDS_ESCAPE = /["\\\u0000-\u001f\ud800-\udfff]/

/** @param {string} name */
function toWire(name) {
  return NEEDS_ESCAPE.test(name) ? JSON.stringify(name).slice(1, -1) : name
}

/** @param {string} text */
function fromWire(text) {
  return text.includes('\\') ? JSON.parse(`"${text}"`) : text
}

module.exports = { toWire, fromWire }
