'use strict'

// Socket ids in the form npm `base64id` gives them: twelve random bytes and a count in three, in
// the base64 of URLs.

const crypto = require('crypto')

const BYTES = 15
const RANDOM_BYTES = 12

// Asking for random bytes costs more than taking them.
const POOL = Buffer.alloc(BYTES * 256)
let position = POOL.length
let count = 0

function generateId() {
  if (position === POOL.length) {
    crypto.randomFillSync(POOL)
    position = 0
  }
  const start = position
  position += BYTES
  count = (count + 1) & 0xffffff
  POOL.writeUIntBE(count, start + RANDOM_BYTES, BYTES - RANDOM_BYTES)
  return POOL.toString('base64url', start, position)
}

module.exports = { generateId }
