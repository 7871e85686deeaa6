'use strict'

// One stream per name over a shared set of consumers: what an emitter, a channel list and a
// procedure list are made of.
const ConsumableStream = require('consumable-stream')
const Stream = require('./stream')

/**
 * @typedef {{ id: number, backpressure: number, stream: string, timeout?: number }} ConsumerStats
 */

/**
 * @typedef {object} DemuxOptions
 * @property {(streamName: string, hasConsumers: boolean) => void} [onInterest] called when a stream
 *   gets its first consumer and when nothing consumes it any more
 */

/** A handle on one stream of a demux; the stream itself exists only while it is consumed. */
class DemuxedConsumableStream extends ConsumableStream {
  /**
   * @param {StreamDemux} streamDemux
   * @param {string} name
   */
  constructor(streamDemux, name) {
    super()
    this._streamDemux = streamDemux
    this.name = name
  }

  /** @param {number} [timeout] milliseconds a consumer waits for the next value */
  createConsumer(timeout) {
    return this._streamDemux.createConsumer(this.name, timeout)
  }
}

/** Writes values to named streams. A value written to a name nobody consumes is dropped. */
class StreamDemux {
  /** @param {DemuxOptions} [options] */
  constructor(options) {
    // Names come from clients, so they are Map keys and never property names. A stream is in the
    // map exactly as long as it has a consumer.
    /** @type {Map<string, Stream>} */
    this._streams = new Map()
    this._onInterest = options && options.onInterest
    this._nextConsumerId = 1
    this.generateConsumerId = () => this._nextConsumerId++
  }

  write(streamName, value) {
    const stream = this._streams.get(toKey(streamName))
    if (stream) stream.write(value)
  }

  /** Like `write`; returns the stream, if there is one. */
  put(streamName, value) {
    const stream = this._streams.get(streamName)
    if (stream !== undefined) stream.write(value)
    return stream
  }

  close(streamName, value) {
    const stream = this._streams.get(toKey(streamName))
    if (stream) stream.close(value)
  }

  closeAll(value) {
    for (const stream of this._snapshot()) stream.close(value)
  }

  writeToConsumer(consumerId, value) {
    const stream = this._streamOf(consumerId)
    return stream && stream.writeToConsumer(consumerId, value)
  }

  closeConsumer(consumerId, value) {
    const stream = this._streamOf(consumerId)
    return stream && stream.closeConsumer(consumerId, value)
  }

  /** @returns {ConsumerStats | undefined} */
  getConsumerStats(consumerId) {
    for (const [streamName, stream] of this._streams) {
      if (stream.hasConsumer(consumerId)) {
        return { ...stream.getConsumerStats(consumerId), stream: streamName }
      }
    }
    return undefined
  }

  /** @returns {ConsumerStats[]} */
  getConsumerStatsList(streamName) {
    const key = toKey(streamName)
    const stream = this._streams.get(key)
    if (!stream) return []
    return stream.getConsumerStatsList().map((stats) => ({ ...stats, stream: key }))
  }

  /** @returns {ConsumerStats[]} */
  getConsumerStatsListAll() {
    return [...this._streams.keys()].flatMap((streamName) => this.getConsumerStatsList(streamName))
  }

  kill(streamName, value) {
    const stream = this._streams.get(toKey(streamName))
    if (stream) stream.kill(value)
  }

  killAll(value) {
    for (const stream of this._snapshot()) stream.kill(value)
  }

  killConsumer(consumerId, value) {
    const stream = this._streamOf(consumerId)
    return stream && stream.killConsumer(consumerId, value)
  }

  getBackpressure(streamName) {
    const stream = this._streams.get(toKey(streamName))
    return stream ? stream.getBackpressure() : 0
  }

  getBackpressureAll() {
    let max = 0
    for (const stream of this._streams.values()) max = Math.max(max, stream.getBackpressure())
    return max
  }

  getConsumerBackpressure(consumerId) {
    const stream = this._streamOf(consumerId)
    return stream ? stream.getConsumerBackpressure(consumerId) : 0
  }

  hasConsumer(streamName, consumerId) {
    const stream = this._streams.get(toKey(streamName))
    return !!stream && stream.hasConsumer(consumerId)
  }

  hasConsumerAll(consumerId) {
    return this._streamOf(consumerId) !== undefined
  }

  getConsumerCount(streamName) {
    const stream = this._streams.get(toKey(streamName))
    return stream ? stream.getConsumerCount() : 0
  }

  getConsumerCountAll() {
    let sum = 0
    for (const stream of this._streams.values()) sum += stream.getConsumerCount()
    return sum
  }

  createConsumer(streamName, timeout) {
    const key = toKey(streamName)
    const current = this._streams.get(key)
    if (current) return current.createConsumer(timeout)

    const stream = this._createStream(key)
    this._streams.set(key, stream)
    const consumer = stream.createConsumer(timeout)
    this._notify(key, true)
    return consumer
  }

  /**
   * A handle which several for-await-of loops may iterate in parallel, each seeing every value.
   * @returns {DemuxedConsumableStream}
   */
  stream(streamName) {
    return new DemuxedConsumableStream(this, streamName)
  }

  /** Forgets a stream: its consumers stay as they are but receive nothing more. */
  unstream(streamName) {
    this._remove(toKey(streamName))
  }

  _createStream(key) {
    return new Stream({
      generateConsumerId: this.generateConsumerId,
      // Looked up by name: a consumer of a stream which was forgotten earlier must not take the
      // stream away that was created under this name since.
      removeConsumerCallback: () => {
        if (!this.getConsumerCount(key)) this._remove(key)
      },
    })
  }

  _remove(key) {
    if (this._streams.delete(key)) this._notify(key, false)
  }

  _notify(key, hasConsumers) {
    if (this._onInterest) this._onInterest(key, hasConsumers)
  }

  _streamOf(consumerId) {
    for (const stream of this._streams.values()) {
      if (stream.hasConsumer(consumerId)) return stream
    }
    return undefined
  }

  // Killing removes streams from the map, and an interest callback may add new ones.
  _snapshot() {
    return [...this._streams.values()]
  }
}

/** Names are compared like property names: 1 and '1' are the same stream. */
function toKey(streamName) {
  return typeof streamName === 'string' ? streamName : String(streamName)
}

module.exports = StreamDemux
