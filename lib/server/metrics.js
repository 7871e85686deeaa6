'use strict'

// Figures for monitoring: what `server.metrics()` returns. The core counts anyway; nothing is done
// until somebody asks.

const { performance } = require('perf_hooks')

/** What a server's connections have in common, wherever their sockets are. */
const TRAFFIC = Object.freeze([
  'connections',
  'bytesReceived',
  'messagesSent',
  'bytesSent',
  'messagesDropped',
  'connectionsCutOff',
  'unsentBytes',
])

/**
 * @param {import('./server')} server
 * @param {boolean} scrape whether a monitoring system asks: the app has longest turns of its own
 * @returns {import('../../types/metrics').ServerMetrics}
 */
function collect(server, scrape) {
  const link = server._native
  const { stats, threads, bridge, streams, ...native } = link.metrics(scrape)
  const { open, pending, openWithoutJs, pendingWithoutJs, channels } = stats
  const { jsEvents, jsBatches, jsQueueBytes } = stats
  return {
    ...sum([bridge, ...threads.map((thread) => thread.traffic)]),
    messagesReceived: native.messagesReceived,
    open,
    pending,
    openWithoutJs,
    pendingWithoutJs,
    opened: native.opened,
    aborted: native.aborted,
    rejectedUpgrades: link.rejectedUpgrades,
    channels,
    subscriptions: native.subscriptions,
    published: native.published + link.publishedHere,
    jsEvents,
    jsBatches,
    jsQueueBytes,
    eventLoopActive: performance.eventLoopUtilization().active,
    bridge,
    threads: threads.map(({ traffic, ...thread }) => ({ ...traffic, ...thread })),
    ...(streams ? { streams } : {}),
  }
}

/** @returns {import('../../types/metrics').TrafficMetrics} */
function sum(all) {
  const total = /** @type {any} */ ({})
  for (const name of TRAFFIC) total[name] = all.reduce((amount, each) => amount + each[name], 0)
  return total
}

module.exports = { collect }
