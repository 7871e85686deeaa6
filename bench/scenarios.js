'use strict'

// What is measured, in the order of the docs.

/**
 * @typedef {object} Panel one chart of bars
 * @property {string} figure name of a figure
 * @property {string} title
 * @property {'more' | 'less'} better
 */

/**
 * @typedef {object} Scenario
 * @property {string} title
 * @property {'pubsub' | 'rpc' | 'idle'} verb of the load generator
 * @property {Record<string, number>} load its options
 * @property {'delivery' | 'request' | 'connection'} unit
 * @property {Panel[]} panels
 * @property {boolean} [openLoop] throughput is given, latency is what is measured
 */

const throughput = { figure: 'perSecond', better: 'more' }
const cpu = { figure: 'cpuPerMillion', better: 'less' }

/** @type {Record<string, Scenario>} */
const scenarios = {
  fanout: {
    title: 'Fan-out',
    verb: 'pubsub',
    load: { connections: 1000, publishers: 8, window: 32, size: 128 },
    unit: 'delivery',
    panels: [
      { ...throughput, title: 'deliveries per second' },
      { ...cpu, title: 'server CPU s per 1M deliveries' },
    ],
  },
  'fanout-1': {
    title: 'Fan-out, one message in flight',
    verb: 'pubsub',
    load: { connections: 1000, publishers: 8, window: 1, size: 128 },
    unit: 'delivery',
    panels: [
      { ...throughput, title: 'deliveries per second' },
      { ...cpu, title: 'server CPU s per 1M deliveries' },
    ],
  },
  channels: {
    title: 'Channels',
    verb: 'pubsub',
    load: { connections: 1000, channels: 1000, each: 10, publishers: 8, window: 512, size: 128 },
    unit: 'delivery',
    panels: [
      { ...throughput, title: 'deliveries per second' },
      { ...cpu, title: 'server CPU s per 1M deliveries' },
    ],
  },
  rpc: {
    title: 'Calls',
    verb: 'rpc',
    load: { connections: 64, window: 4, size: 128 },
    unit: 'request',
    panels: [
      { ...throughput, title: 'requests per second' },
      { ...cpu, title: 'server CPU s per 1M requests' },
    ],
  },
  open: {
    title: 'Latency at a fixed rate',
    verb: 'pubsub',
    load: { connections: 1000, publishers: 8, rate: 30, size: 128 },
    unit: 'delivery',
    openLoop: true,
    panels: [
      { figure: 'p50', title: 'median latency, ms', better: 'less' },
      { figure: 'p99', title: '99th percentile, ms', better: 'less' },
    ],
  },
  idle: {
    title: 'Idle connections',
    verb: 'idle',
    load: { connections: 10000, channels: 1000, seconds: 1 },
    unit: 'connection',
    panels: [
      { figure: 'kbSubscribed', title: 'KB per subscribed connection', better: 'less' },
      { figure: 'cpuPerThousand', title: 'CPU s per 1000 handshakes', better: 'less' },
    ],
  },
}

module.exports = { scenarios }
