'use strict'

/** @typedef {{ epoch: string, offset: number }} Position of a message in a kept channel */

/** Whether something from the wire or from the app's storage names a position. */
function isPosition(value) {
  if (typeof value !== 'object' || value === null) return false
  return typeof value.epoch === 'string' && Number.isSafeInteger(value.offset) && value.offset >= 0
}

/** @returns {Position} */
const positionOf = ({ epoch, offset }) => ({ epoch, offset })

module.exports = { isPosition, positionOf }
