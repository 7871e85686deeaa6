'use strict'

// The machines behind a proxy: which are alive, how busy they are, and which one is next.

const { createHash } = require('node:crypto')

/** A machine that could not be reached is left out for so long, doubled each time, in ms. */
const FIRST_REST = 100
const LONGEST_REST = 5000

/**
 * @typedef {object} Upstream
 * @property {string} key `host:port`
 * @property {string} host
 * @property {number} port
 * @property {number} pending connections that are open
 * @property {number} rest how long it was left out last, 0 if it was reached
 * @property {number} until when it is tried again
 */

/** @typedef {'round-robin' | 'least-pending' | 'rendezvous'} Strategy */

class Upstreams {
  /** @type {Upstream[]} */
  #all
  #strategy
  #next = 0

  /**
   * @param {readonly { host: string, port: number, key: string }[]} addresses
   * @param {Strategy} strategy
   */
  constructor(addresses, strategy) {
    this.#all = addresses.map(({ host, port, key }) => ({
      host,
      port,
      key,
      pending: 0,
      rest: 0,
      until: 0,
    }))
    this.#strategy = strategy
  }

  get size() {
    return this.#all.length
  }

  /**
   * All of them in the order in which they are to be tried: those that are left out at the end.
   *
   * @param {string} name what is asked for
   * @param {string} [chosen] `host:port` of the one that goes first
   * @returns {Upstream[]}
   */
  order(name, chosen) {
    const now = performance.now()
    const ordered = this.#ordered(name)
    const first = ordered.filter(({ key }) => key === chosen)
    const others = ordered.filter(({ key }) => key !== chosen)
    const rests = ({ until }) => until > now
    return [...first, ...others.filter((each) => !rests(each)), ...others.filter(rests)]
  }

  /** @param {string} key `host:port` */
  has(key) {
    return this.#all.some((each) => each.key === key)
  }

  /** @param {Upstream} upstream that was reached */
  reached(upstream) {
    upstream.rest = 0
    upstream.until = 0
  }

  /** @param {Upstream} upstream that was not */
  missed(upstream) {
    upstream.rest = Math.min(LONGEST_REST, Math.max(FIRST_REST, 2 * upstream.rest))
    upstream.until = performance.now() + upstream.rest
  }

  /**
   * @param {string} name
   * @returns {Upstream[]}
   */
  #ordered(name) {
    if (this.#strategy === 'rendezvous') {
      const weights = new Map(this.#all.map((each) => [each, weight(each.key, name)]))
      const of = (/** @type {Upstream} */ each) => weights.get(each) ?? ''
      return this.#all.toSorted((a, b) => (of(a) < of(b) ? 1 : -1))
    }
    const start = this.#next++ % Math.max(1, this.#all.length)
    const turned = [...this.#all.slice(start), ...this.#all.slice(0, start)]
    // Sorting keeps the order of equals, so those that are equally busy take turns.
    return this.#strategy === 'least-pending'
      ? turned.sort((a, b) => a.pending - b.pending)
      : turned
  }
}

/**
 * Rendezvous hashing: each name goes to the machine with the highest weight, so that one machine less
 * moves only the names it had.
 *
 * @param {string} key
 * @param {string} name
 */
const weight = (key, name) => createHash('sha256').update(`${key}\n${name}`).digest('hex')

module.exports = Upstreams
