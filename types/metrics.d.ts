/** What has passed through some connections since they, or their thread, started. */
export interface TrafficMetrics {
  /** Connections there are. */
  connections: number
  /** Bytes read from sockets. */
  bytesReceived: number
  /** WebSocket messages written to sockets, or kept for those that were not ready; with pings. */
  messagesSent: number
  /** Bytes that sockets have taken, all of HTTP and WebSocket included. */
  bytesSent: number
  /** Messages that clients lost by being too slow (`backpressurePolicy: 'drop'`). */
  messagesDropped: number
  /** Connections that were ended because the client was too slow. */
  connectionsCutOff: number
  /** Bytes that sockets have not taken yet. */
  unsentBytes: number
}

/** An I/O thread at the end of its last turn. Times are in milliseconds. */
export interface ThreadMetrics extends TrafficMetrics {
  /** Turns of its event loop. */
  turns: number
  /** System calls that read a socket. */
  reads: number
  /** System calls that wrote to one. */
  writes: number
  /** Time in turns: all but the time spent waiting for something to do. */
  busy: number
  /** Its longest turn since `metrics()` was called last. */
  longestTurn: number
  /** Things the thread has to do and has not taken up. */
  mailboxEntries: number
  /** Bytes of them. */
  mailboxBytes: number
}

/** Figures of a server; the inherited ones are sums over `bridge` and `threads`. */
export interface ServerMetrics extends TrafficMetrics {
  /** WebSocket messages received, pongs of the protocol included. */
  messagesReceived: number
  /** Sessions after their handshake. */
  open: number
  /** Sessions before their handshake. */
  pending: number
  /** Those of `open` that have no socket object. */
  openWithoutJs: number
  /** Those of `pending` that have no socket object. */
  pendingWithoutJs: number
  /** Connections ever taken on. */
  opened: number
  /** Those of them that ended before their handshake was done. */
  aborted: number
  /** Upgrade requests turned down. */
  rejectedUpgrades: number
  /** Channels with a subscriber. */
  channels: number
  /** Subscriptions of sockets; those of the exchange are not among them. */
  subscriptions: number
  /** Messages ever published, by clients and by the app, whether or not somebody was subscribed. */
  published: number
  /** Events ever handed to JavaScript. */
  jsEvents: number
  /** Batches they came in. */
  jsBatches: number
  /** Bytes of events that wait for JavaScript. */
  jsQueueBytes: number
  /** Milliseconds the event loop of this JavaScript thread has been active. */
  eventLoopActive: number
  /** Connections whose socket stays with Node.js. */
  bridge: TrafficMetrics
  /** The I/O threads, `ioThreads` of them. */
  threads: ThreadMetrics[]
  /** Of a server with the `streams` option. */
  streams?: StreamMetrics
}

/** What the streams of a server hold. */
export interface StreamMetrics {
  /** Channels that keep messages. */
  channels: number
  /** Messages that can be read. */
  messages: number
  /** Bytes of their payloads. */
  bytes: number
  /** Bytes of memory that all of it takes, roughly: what `streamMemory` limits. */
  memory: number
  /** Messages to be published later. */
  timers: number
  /** Members of channels with presence. */
  members: number
  /** Of a server with the `storage` option. */
  storage?: StorageMetrics
}

/** The files of streams. Times are in milliseconds. */
export interface StorageMetrics {
  /** Bytes of all files. */
  bytes: number
  segments: number
  /** Batches that are not on disk yet. */
  pendingBatches: number
  /** Bytes of them. */
  pendingBytes: number
  /** Times the files were synced. */
  syncs: number
  /** How long that took the last time, and at most. */
  lastSync: number
  longestSync: number
  /** How long it took to read the files at the start. */
  recovery: number
  /** Whether the last write or sync failed. */
  failed: boolean
}
