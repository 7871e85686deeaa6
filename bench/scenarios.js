'use strict'

// What is measured, in the order of the docs.

/**
 * @typedef {object} Panel one chart of bars
 * @property {string} figure name of a figure
 * @property {string} title
 * @property {'more' | 'less'} better
 */

/**
 * @typedef {object} Comparison
 * @property {string} peer the one that is 1
 * @property {string} figure
 * @property {string} title of the column
 */

/**
 * @typedef {object} Scenario
 * @property {string} title
 * @property {'pubsub' | 'rpc' | 'idle' | 'publish' | 'replay'} verb of the load generator
 * @property {Record<string, number>} load its options
 * @property {'delivery' | 'request' | 'connection' | 'publish' | 'message'} unit
 * @property {{ size: number, bytes: number }} [keep] what channels keep, if not the default
 * @property {string[]} [peers] who takes part by default, if not all that do elsewhere
 * @property {Comparison} [comparison] what each is compared with, if not socketcluster-server
 * @property {Panel[]} panels
 * @property {boolean} [openLoop] throughput is given, latency is what is measured
 */

const throughput = { figure: 'perSecond', better: 'more' }
const cpu = { figure: 'cpuPerMillion', better: 'less' }

/** @returns {Scenario} */
function durablePublish(title, connections, window) {
  return {
    title: `Durable publishes, ${title}`,
    verb: 'publish',
    load: { connections, window, size: 128 },
    unit: 'publish',
    peers: ['ours-durable', 'ours-durable-2', 'nats'],
    comparison: { peer: 'nats', figure: 'perSecond', title: '× JetStream' },
    panels: [
      { ...throughput, title: 'publishes per second' },
      { figure: 'p50', title: 'median wait for the answer, ms', better: 'less' },
    ],
  }
}

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
  'history-fanout': {
    title: 'Fan-out of kept channels',
    verb: 'pubsub',
    load: { connections: 1000, publishers: 8, window: 32, size: 128 },
    unit: 'delivery',
    peers: ['ours', 'ours-streams', 'ours-history', 'ours-durable'],
    comparison: { peer: 'ours', figure: 'cpuPerMillion', title: 'CPU, × plain' },
    panels: [
      { ...throughput, title: 'deliveries per second' },
      { ...cpu, title: 'server CPU s per 1M deliveries' },
    ],
  },
  'durable-publish': durablePublish('64 clients', 64, 1),
  'durable-publish-8': durablePublish('8 clients with 8 under way each', 8, 8),
  'durable-publish-1024': durablePublish('64 clients with 16 under way each', 64, 16),
  replay: {
    title: 'Replay',
    verb: 'replay',
    load: { messages: 100_000, size: 128 },
    keep: { size: 100_000, bytes: 64 * 1024 * 1024 },
    unit: 'message',
    peers: ['ours-history', 'ours-durable'],
    panels: [
      { ...throughput, title: 'messages per second to one client' },
      { ...cpu, title: 'server CPU s per 1M messages' },
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
