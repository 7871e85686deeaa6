'use strict'

// A pool maps items: 'double' (numbers times two), 'burn' (5 ms of CPU each) or 'scale' (each times a
// shared value).

const { passes } = require('../timing')
const { burn } = require('../pools/tasks')

/** Milliseconds of CPU that an item of 'burn' takes. */
const BURN = 5

/** What 'scale' multiplies with. */
const MULTIPLIER = 10

const EXPECTED = {
  double: (item) => item * 2,
  burn,
  scale: (item) => item * MULTIPLIER,
}

/** How many rounds of burn() take the time of an item: the quickest of several tries counts. */
function calibrate() {
  const rounds = 2_000_000
  const times = []
  for (let attempt = 0; attempt < 40; attempt++) {
    const start = performance.now()
    burn(rounds)
    times.push(performance.now() - start)
  }
  return Math.round((rounds * BURN) / Math.min(...times))
}

function itemsOf({ task, scenario, items, rounds, peer }) {
  const count = Math.round(items * (peer.share?.[scenario] ?? 1))
  // Rounds differ a little, so that an answer belongs to its item.
  if (task === 'burn') return Array.from({ length: count }, (_, index) => rounds + (index % 8))
  return Array.from({ length: count }, (_, index) => index)
}

/** Throws unless the results are those of the items; of few of them, since it costs time. */
function check(task, items, results) {
  const wanted = EXPECTED[task]
  const places = [0, 1, items.length >> 1, items.length - 1]
  const wrong = places.find((place) => results[place] !== wanted(items[place]))
  if (results.length !== items.length || wrong !== undefined)
    throw new Error(`wrong results: ${results.length}, at ${wrong}: ${results[wrong]}`)
}

/** @returns {Promise<Record<string, number>>} */
async function run(order) {
  const { task, threads, chunk, seconds, directory, peer } = order
  const open = require(`../pools/${peer.module}`)
  const pool = await open({ ...peer.options, threads, chunk, directory, multiplier: MULTIPLIER })
  const items = itemsOf(order)
  const heavy = peer.options?.each || task === 'burn'
  if (heavy) await pool.map(task, items.slice(0, task === 'burn' ? 40 : 2000))
  let results = []
  const pass = async () => void (results = await pool.map(task, items))
  const figures = await passes(pass, seconds, heavy ? 0 : undefined)
  check(task, items, results)
  const scale = order.items / items.length
  const scaled = Object.entries(figures).map(([name, value]) => [name, value * scale])
  return { ...Object.fromEntries(scaled), perSecond: (items.length / figures.ms) * 1000 }
}

module.exports = { run, calibrate }
