'use strict'

const { encode, tags } = require('../values')
const { error } = require('./check.js')

/**
 * As `encode`, with objects as JSON text whatever they contain.
 * @param {unknown} value
 */
function encodeJson(value) {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array)
    return encode(value)
  let text
  try {
    text = JSON.stringify(value)
  } catch (cause) {
    throw Object.assign(error('ERR_NC_INVALID_VALUE', `the value is not for JSON: ${cause}`), {
      cause,
    })
  }
  // Of an object whose toJSON says so.
  if (text === undefined) throw error('ERR_NC_INVALID_VALUE', 'the value is nothing as JSON')
  encode.tag = tags.JSON
  return text
}

module.exports = { encodeJson }
