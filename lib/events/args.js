'use strict'

const { decode } = require('../values/index.js')

/**
 * What an event was emitted with. Another process can say that anything is: `null` for what is no list.
 * @param {number} tag
 * @param {import('../values/index.js').Data} data
 * @returns {unknown[] | null}
 */
function argsOf(tag, data) {
  try {
    const args = decode(tag, data)
    return Array.isArray(args) ? args : null
  } catch {
    return null
  }
}

module.exports = argsOf
