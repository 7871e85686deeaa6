'use strict'

/**
 * What a log and what clients know of it do not agree on. The log's messages are the ids of
 * publishes.
 *
 * @param {import('./log').Log} log
 * @param {{ acked: Map<string, import('./publisher').Acked> }[]} publishers
 * @param {import('./journal').Journal[]} journals
 * @returns {string[]}
 */
function checkLog(log, publishers, journals) {
  const faults = [...log.violations]
  const places = new Map()
  for (let offset = 1; offset < log.data.length; offset++) {
    const id = log.data[offset]
    if (places.has(id)) faults.push(`${id} is at ${places.get(id)} and at ${offset}`)
    places.set(id, offset)
  }
  for (const { acked } of publishers) {
    for (const [id, { channel, epoch, offset }] of acked) {
      if (channel !== log.channel) continue
      if (epoch !== log.epoch) faults.push(`${id} was acknowledged in ${epoch}, not ${log.epoch}`)
      else if (places.get(id) !== offset)
        faults.push(`${id} was acknowledged at ${offset}, and is at ${places.get(id)}`)
    }
  }
  for (const journal of journals) faults.push(...checkJournal(log, journal))
  return faults
}

/** What a client has seen must be what is there: nothing that a crash has taken back. */
function checkJournal(log, { name, seen }) {
  const faults = []
  for (const { epoch, offset, data } of seen.get(log.channel) ?? []) {
    if (epoch !== log.epoch || log.data[offset] !== data)
      faults.push(`${name} saw ${data} at ${epoch}/${offset}, where ${log.data[offset]} is`)
  }
  return faults
}

module.exports = { checkLog }
