'use strict'

// Errors of the core as instances of SocketCluster's classes.

const scErrors = require('sc-errors')

const PLAIN = new Map([
  ['Error', Error],
  ['RangeError', RangeError],
])
const DATES = ['expiry', 'date']

/** @param {{ name: string, json: string }} error its class, and its own properties as JSON text */
function hydrate({ name, json }) {
  const { message, name: _name, ...fields } = JSON.parse(json)
  for (const key of DATES) {
    if (key in fields) fields[key] = new Date(fields[key] === null ? NaN : fields[key])
  }
  const plain = PLAIN.get(name)
  if (plain) return Object.assign(new plain(message), fields)
  return Object.assign(construct(name, message, fields), fields)
}

// The second argument of these classes is an own property: given to the constructor it keeps its
// place among the others.
function construct(name, message, fields) {
  const Class = scErrors[name] || scErrors.UnknownError
  if (name === 'AuthTokenExpiredError') return new Class(message, fields.expiry)
  if (name === 'AuthTokenNotBeforeError') return new Class(message, fields.date)
  if (name === 'SocketProtocolError') return new Class(message, fields.code)
  return new Class(message)
}

module.exports = hydrate
