'use strict'

/**
 * Random numbers that can be had again: of the seed ES_NETWORKCLUSTER_CHAOS_SEED, or of one that
 * tests tell when they fail.
 */
class Random {
  constructor(seed = Number(process.env.ES_NETWORKCLUSTER_CHAOS_SEED) || newSeed()) {
    this.seed = seed
    this._state = seed >>> 0
  }

  /** Below 1 (mulberry32). */
  next() {
    this._state = (this._state + 0x6d2b79f5) >>> 0
    let t = this._state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }

  /** A whole number, both ends included. */
  between(from, to) {
    return from + Math.floor(this.next() * (to - from + 1))
  }
}

function newSeed() {
  return Math.floor(Math.random() * 0x7fffffff) + 1
}

module.exports = { Random }
