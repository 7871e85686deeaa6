'use strict'

// What every peer does besides serving: it says where, and what it has used so far when asked to.

/** @param {number} port where the peer serves */
function ready(port) {
  process.on('message', () => {
    const { user, system } = process.cpuUsage()
    process.send({ cpu: (user + system) / 1e6, rss: process.memoryUsage.rss() })
  })
  // Whoever started this is gone.
  process.on('disconnect', () => process.exit())
  process.send({ port })
}

module.exports = { ready }
