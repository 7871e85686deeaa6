'use strict'

// Figures as text for Prometheus, in version 0.0.4 of its exposition format.

const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'
const PREFIX = 'es_networkcluster_'

/**
 * @typedef {import('../../types/metrics').ServerMetrics} ServerMetrics
 * @typedef {[labels: Record<string, string>, value: number]} Sample
 * @typedef {{ name: string, type: 'gauge' | 'counter', help: string }} Family
 */

/**
 * A family of the server as a whole.
 * @param {(metrics: ServerMetrics) => number | Sample[]} read
 */
function ofServer(type, name, help, read) {
  const samples = (metrics) => {
    const value = read(metrics)
    return typeof value === 'number' ? [[{}, value]] : value
  }
  return { name, type, help, samples }
}

/** A family with one sample per I/O thread. */
function ofThreads(type, name, help, read) {
  const samples = ({ threads }) =>
    threads.map((thread, number) => [{ thread: String(number) }, read(thread)])
  return { name, type, help, samples }
}

/** The same, with one more for the connections whose sockets stay with JavaScript. */
function ofConnections(type, name, help, read) {
  const { samples } = ofThreads(type, name, help, read)
  const all = (metrics) => [...samples(metrics), [{ thread: 'js' }, read(metrics.bridge)]]
  return { name, type, help, samples: all }
}

/** A family of a server with streams, or of one with storage. */
function ofPart(part, type, name, help, read) {
  const samples = (metrics) => {
    const figures = part(metrics)
    return figures ? [[{}, read(figures)]] : []
  }
  return { name, type, help, samples }
}

const ofStreams = (...family) => ofPart(({ streams }) => streams, ...family)
const ofStorage = (...family) => ofPart(({ streams }) => streams && streams.storage, ...family)

const seconds = (ms) => ms / 1000

const FAMILIES = [
  ofServer(
    'gauge',
    'sessions',
    'Sessions before (pending) and after (open) their handshake.',
    (it) => [
      [{ state: 'open' }, it.open],
      [{ state: 'pending' }, it.pending],
    ],
  ),
  ofServer('gauge', 'sessions_without_js', 'Sessions that JavaScript has no object for.', (it) => [
    [{ state: 'open' }, it.openWithoutJs],
    [{ state: 'pending' }, it.pendingWithoutJs],
  ]),
  ofServer('counter', 'connections_opened_total', 'Connections taken on.', (it) => it.opened),
  ofServer(
    'counter',
    'connections_aborted_total',
    'Connections that ended before their handshake was done.',
    (it) => it.aborted,
  ),
  ofServer(
    'counter',
    'rejected_upgrades_total',
    'Upgrade requests turned down.',
    (it) => it.rejectedUpgrades,
  ),
  ofServer('gauge', 'channels', 'Channels with a subscriber.', (it) => it.channels),
  ofServer('gauge', 'subscriptions', 'Subscriptions of sockets.', (it) => it.subscriptions),
  ofServer('counter', 'published_messages_total', 'Messages published.', (it) => it.published),
  ofServer(
    'counter',
    'received_messages_total',
    'WebSocket messages received.',
    (it) => it.messagesReceived,
  ),
  ofServer('counter', 'js_events_total', 'Events for JavaScript.', (it) => it.jsEvents),
  ofServer('counter', 'js_batches_total', 'Batches of them.', (it) => it.jsBatches),
  ofServer(
    'gauge',
    'js_queue_bytes',
    'Bytes of events that wait for JavaScript.',
    (it) => it.jsQueueBytes,
  ),
  ofConnections(
    'gauge',
    'connections',
    'Connections by the I/O thread that owns them.',
    (it) => it.connections,
  ),
  ofConnections(
    'counter',
    'received_bytes_total',
    'Bytes read from sockets.',
    (it) => it.bytesReceived,
  ),
  ofConnections(
    'counter',
    'sent_messages_total',
    'WebSocket messages sent.',
    (it) => it.messagesSent,
  ),
  ofConnections('counter', 'sent_bytes_total', 'Bytes sockets have taken.', (it) => it.bytesSent),
  ofConnections(
    'counter',
    'dropped_messages_total',
    'Messages that clients lost by being too slow.',
    (it) => it.messagesDropped,
  ),
  ofConnections(
    'counter',
    'cut_off_connections_total',
    'Connections ended because the client was too slow.',
    (it) => it.connectionsCutOff,
  ),
  ofConnections(
    'gauge',
    'unsent_bytes',
    'Bytes that sockets have not taken yet.',
    (it) => it.unsentBytes,
  ),
  ofThreads('counter', 'io_turns_total', 'Turns of the event loop.', (it) => it.turns),
  ofThreads('counter', 'io_reads_total', 'System calls that read a socket.', (it) => it.reads),
  ofThreads('counter', 'io_writes_total', 'System calls that wrote to one.', (it) => it.writes),
  ofThreads('counter', 'io_busy_seconds_total', 'Time in turns.', (it) => seconds(it.busy)),
  ofThreads('gauge', 'io_longest_turn_seconds', 'Longest turn since the last scrape.', (it) =>
    seconds(it.longestTurn),
  ),
  ofThreads(
    'gauge',
    'io_mailbox_entries',
    'Things that wait for the thread.',
    (it) => it.mailboxEntries,
  ),
  ofThreads('gauge', 'io_mailbox_bytes', 'Bytes of them.', (it) => it.mailboxBytes),
  ofStreams('gauge', 'kept_channels', 'Channels that keep messages.', (it) => it.channels),
  ofStreams('gauge', 'kept_messages', 'Messages they keep.', (it) => it.messages),
  ofStreams('gauge', 'kept_bytes', 'Payloads of them.', (it) => it.bytes),
  ofStreams('gauge', 'stream_memory_bytes', 'Memory that streams take.', (it) => it.memory),
  ofStreams('gauge', 'timers', 'Messages to be published later.', (it) => it.timers),
  ofStreams('gauge', 'members', 'Members of channels with presence.', (it) => it.members),
  ofStorage('gauge', 'storage_bytes', 'Bytes of the files of streams.', (it) => it.bytes),
  ofStorage('gauge', 'storage_segments', 'Files of streams.', (it) => it.segments),
  ofStorage(
    'gauge',
    'storage_pending_bytes',
    'Bytes that are not on disk yet.',
    (it) => it.pendingBytes,
  ),
  ofStorage('counter', 'storage_syncs_total', 'Syncs of the files.', (it) => it.syncs),
  ofStorage('gauge', 'storage_last_sync_seconds', 'Time the last sync took.', (it) =>
    seconds(it.lastSync),
  ),
  ofStorage('gauge', 'storage_longest_sync_seconds', 'Time the longest sync took.', (it) =>
    seconds(it.longestSync),
  ),
  ofStorage('gauge', 'storage_failed', 'Whether the last write or sync failed.', (it) =>
    Number(it.failed),
  ),
]

const LOOP_ACTIVE = {
  name: 'event_loop_active_seconds_total',
  type: 'counter',
  help: 'Time the event loop of JavaScript has been active.',
}
const LOOP_DELAY = {
  name: 'event_loop_delay_seconds',
  type: 'gauge',
  help: 'How late the event loop of JavaScript was since the last scrape.',
}

/**
 * @param {Map<string, ServerMetrics>} servers by their path
 * @param {{ mean: number, p99: number, max: number } | undefined} delay of the event loop, in ms
 */
function render(servers, delay) {
  const lines = []
  for (const family of FAMILIES) {
    const samples = [...servers].flatMap(([path, metrics]) =>
      family.samples(metrics).map(([labels, value]) => [{ path, ...labels }, value]),
    )
    write(lines, family, samples)
  }
  const [metrics] = servers.values()
  write(lines, LOOP_ACTIVE, [[{}, seconds(metrics.eventLoopActive)]])
  if (delay) {
    const samples = Object.entries(delay).map(([stat, ms]) => [{ stat }, seconds(ms)])
    write(lines, LOOP_DELAY, samples)
  }
  return lines.join('')
}

function write(lines, { name, type, help }, samples) {
  if (samples.length === 0) return
  lines.push(`# HELP ${PREFIX}${name} ${help}\n# TYPE ${PREFIX}${name} ${type}\n`)
  for (const [labels, value] of samples) {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escape(text)}"`)
    const list = pairs.length ? `{${pairs.join(',')}}` : ''
    lines.push(`${PREFIX}${name}${list} ${value}\n`)
  }
}

function escape(text) {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

module.exports = { CONTENT_TYPE, render }
