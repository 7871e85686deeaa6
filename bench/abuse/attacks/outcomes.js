'use strict'

/** What a client got, and how it ended. */
function outcomeOf(client, counts = {}) {
  return { ...counts, ...endOf(client) }
}

function endOf(client) {
  if (client.closed !== null) return { [`closed ${client.closed}`]: 1 }
  return client.ended ? { 'cut off': 1 } : {}
}

/** Adds outcomes up. */
function sumOf(outcomes) {
  const sum = {}
  for (const outcome of outcomes) {
    for (const [name, count] of Object.entries(outcome)) sum[name] = (sum[name] ?? 0) + count
  }
  return sum
}

/** Whether nothing was left out and nobody was closed. */
const exactly = (expected) => (outcome) =>
  Object.keys({ ...expected, ...outcome }).every((name) => outcome[name] === expected[name])

/** Whether this happened, whatever else did. */
const has = (name) => (outcome) => outcome[name] > 0

module.exports = { exactly, has, outcomeOf, sumOf }
