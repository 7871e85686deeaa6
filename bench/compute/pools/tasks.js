'use strict'

// What the workers of other pools do, with one item or with a list of them.

const path = require('node:path')

/** Takes CPU time in proportion to its argument, and nothing else. */
function burn(rounds) {
  let x = rounds
  for (let round = 0; round < rounds; round++) x = (Math.imul(x, 1664525) + 1013904223) | 0
  return x
}

let opened = null

/** Shared values in the folder of the measurement. */
function values() {
  opened ??= require('lmdb').open({ path: path.join(process.env.BENCH_DIRECTORY, 'scope') })
  return opened
}

const scale = (item) => item * values().get('multiplier')

module.exports = {
  burn,
  double: (item) => item * 2,
  scale,
  doubleAll: (items) => items.map((item) => item * 2),
  scaleAll: (items) => items.map(scale),
}
