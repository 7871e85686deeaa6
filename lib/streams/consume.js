'use strict'

// A named consumer of a channel that keeps its messages: each is handled at least once, also across
// restarts. The core only knows how far the consumer has come.

const AckWindow = require('./ack-window')
const Emitter = require('./emitter')
const attempt = require('./attempt')
const { consumeOptions } = require('./consume-options')
const { Pauses, backOff } = require('./pauses')
const Waker = require('../exchange/waker')

/**
 * @typedef {{ epoch: string, offset: number }} Position
 * @typedef {{ data?: any, offset: number, timestamp: number }} Kept
 * @typedef {{ place: Position, data: any, timestamp: number }} Message
 */

/** Messages asked for at once, and messages that may be done while one before them is not. */
const MOST_AHEAD = 100
/** The first pause after the core has refused something. */
const CORE_RETRY = 1000

class DurableConsumer extends Emitter {
  /**
   * @param {any} exchange
   * @param {string} name
   * @param {object} given see `consumeOptions`
   * @param {Function} handler
   */
  constructor(exchange, name, given, handler) {
    super()
    this._options = consumeOptions(name, given, handler)
    this._exchange = exchange
    this._handler = /** @type {(message: any, signal: AbortSignal) => any} */ (handler)
    this.name = name
    this.channel = this._options.channel
    this._ahead = Math.max(MOST_AHEAD, this._options.concurrency)
    this._pauses = new Pauses()
    this._waker = new Waker(`consumer/${name}`, (place) => this._wake(place))
    /** @type {AckWindow | undefined} */
    this._window = undefined
    /** @type {Message[]} */
    this._buffer = []
    /** @type {Set<Promise<void>>} */
    this._handling = new Set()
    /** What has been read up to; what the core has stored; where the channel ends. */
    this._read = undefined
    this._stored = undefined
    this._head = undefined
    this._fetching = undefined
    this._committing = undefined
    /** There may be something to read. */
    this._unread = true
    this._counts = { delivered: 0, acked: 0, redelivered: 0, deadLettered: 0, dropped: 0 }
    this._closed = undefined
    /** @type {(value?: undefined) => void} */
    this._end = () => {}
    this._ended = new Promise((resolve) => {
      this._end = resolve
    })
  }

  /** No two of the same identity may be open. */
  get id() {
    return JSON.stringify([this.name, this.channel])
  }

  /** Up to here every message is done; nothing before the consumer knows where it begins. */
  get position() {
    return this._window && this._window.position
  }

  stats() {
    const { position, _head: head } = this
    const known = position && head && position.epoch === head.epoch
    return {
      ...this._counts,
      inFlight: this._handling.size,
      buffered: this._buffer.length,
      behind: known ? Math.max(0, head.offset - position.offset) : undefined,
    }
  }

  /** Begins; resolves when the consumer has been closed. */
  start() {
    this._exchange._broker.subscribeClient(this._waker, this.channel)
    this._fetching = this._persist(() => this._open()).then(() => this._fetched())
    return this._ended
  }

  /** Takes on no more messages; resolves when those under way are handled and the rest is stored. */
  close() {
    this._closed ??= this._close()
    return this._closed
  }

  async _close() {
    this._pauses.end()
    this._buffer = []
    this._exchange._broker.unsubscribeClient(this._waker, this.channel)
    await this._fetching
    await Promise.all(this._handling)
    await this._committing
    // What could not be stored before gets one more chance.
    await this._commit()
    this._end()
  }

  // ---- reading ----

  /** Where to go on, or to begin. */
  async _open() {
    const { name, channel } = this
    // Both at once: what is published after `consume` was called comes after the beginning.
    const [committed, beginning] = await Promise.all([
      this._request('#committed', { name, channel }),
      this._beginning(this._options.from),
    ])
    const isNew = committed.epoch === undefined
    const position = isNew ? beginning : committed
    if (this._pauses.ended) return
    this._read = position
    this._window = new AckWindow(position)
    this._stored = isNew ? undefined : position
    this._commitSoon()
  }

  async _beginning(from) {
    if (typeof from === 'object') return { epoch: from.epoch, offset: from.offset }
    const reverse = from === 'latest'
    return before(await this._exchange.history(this.channel, { limit: 1, reverse }), reverse)
  }

  _wake(place) {
    this._head = place
    this._unread = true
    this._pump()
  }

  /** Hands out what there is, and sees to it that there is something. */
  _pump() {
    const { concurrency } = this._options
    while (
      this._buffer.length > 0 &&
      this._handling.size < concurrency &&
      this._window.size < this._ahead
    ) {
      this._begin(this._buffer.shift())
    }
    if (this._fetching || !this._unread || this._pauses.ended) return
    if (this._buffer.length >= concurrency) return
    this._unread = false
    this._fetching = this._persist(() => this._fetch()).then(() => this._fetched())
  }

  _fetched() {
    this._fetching = undefined
    if (!this._pauses.ended) this._pump()
  }

  async _fetch() {
    const limit = this._ahead - this._buffer.length
    let page
    try {
      page = await this._exchange.history(this.channel, { since: this._read, limit })
    } catch (error) {
      if (error.code !== 'ERR_POSITION_LOST') throw error
      page = await this._exchange.history(this.channel, { limit })
      this._skip(before(page, false))
    }
    if (this._pauses.ended) return
    this._take(page)
  }

  /** @param {{ epoch: string, offset: number, messages: Kept[], more: boolean }} page */
  _take({ epoch, offset, messages, more }) {
    this._head = { epoch, offset }
    if (more) this._unread = true
    for (const { data, offset, timestamp } of messages) {
      this._buffer.push({ place: { epoch, offset }, data, timestamp })
    }
    if (messages.length > 0) this._read = { epoch, offset: messages[messages.length - 1].offset }
  }

  /** The channel no longer has what comes next. */
  _skip(to) {
    this.emit('gap', { from: this._read, to })
    this._read = to
    this._window.skipTo(to)
    this._commitSoon()
  }

  // ---- handling ----

  /** @param {Message} message */
  _begin(message) {
    this._window.begin(message.place)
    const handling = this._handle(message).then(() => {
      this._handling.delete(handling)
      if (!this._pauses.ended) this._pump()
    })
    this._handling.add(handling)
  }

  async _handle(message) {
    const { place } = message
    for (let delivery = 1; ; delivery++) {
      this._counts.delivered++
      const failure = await this._attempt(message, delivery)
      if (!failure) break
      if (this._pauses.ended) return
      if (delivery >= this._options.maxDeliveries) {
        if (!(await this._giveUp(message, delivery, failure.error))) return
        break
      }
      const delay = backOff(this._options.retryDelay, delivery)
      this.emit('redelivery', { ...place, delivery: delivery + 1, delay, error: failure.error })
      await this._pauses.wait(delay)
      if (this._pauses.ended) return
      this._counts.redelivered++
    }
    this._counts.acked++
    this._window.done(place)
    this._commitSoon()
  }

  _attempt({ place, data, timestamp }, delivery) {
    const message = { data, channel: this.channel, ...place, delivery, timestamp }
    return attempt(this._handler, message, this._options.ackTimeout)
  }

  /** @returns {Promise<boolean>} whether the message is done with */
  async _giveUp({ place, data }, deliveries, error) {
    const { deadLetter } = this._options
    if (deadLetter === undefined) {
      this._counts.dropped++
      this._report(error, place)
      return true
    }
    const letter = {
      consumer: this.name,
      channel: this.channel,
      ...place,
      deliveries,
      error: describe(error),
      data,
    }
    const sent = await this._persist(() => this._send(deadLetter, letter))
    if (!sent) return false
    this._counts.deadLettered++
    this.emit('deadLetter', letter)
    return true
  }

  _send(deadLetter, letter) {
    const exchange = this._exchange
    if (!exchange._broker._streams.isKept(deadLetter) || !exchange._passesOptions()) {
      return exchange.invokePublish(deadLetter, letter)
    }
    // A crash before the position is stored does not make two of it.
    const key = `${this.name}:${letter.epoch}:${letter.offset}`
    return exchange.invokePublish(deadLetter, letter, { key })
  }

  // ---- the position ----

  _commitSoon() {
    this._committing ??= this._persist(() => this._commit(true)).then(() => {
      this._committing = undefined
    })
  }

  /** Stores the position; one request at a time, however many messages are done meanwhile. */
  async _commit(rethrow = false) {
    const { name, channel } = this
    try {
      while (this._window && this._stored !== this._window.position) {
        const { position } = this._window
        await this._request('#commit', { name, channel, ...position })
        this._stored = position
      }
    } catch (error) {
      if (rethrow) throw error
      this._report(error)
    }
  }

  // ---- the core ----

  _request(event, fields) {
    return this._exchange._needStreams().request(event, fields)
  }

  /**
   * Tries again until it succeeds, or the consumer is closed.
   * @returns {Promise<boolean>} whether it succeeded
   */
  async _persist(action) {
    for (let failures = 1; ; failures++) {
      try {
        await action()
        return true
      } catch (error) {
        this._report(error)
        await this._pauses.wait(backOff(CORE_RETRY, failures))
        if (this._pauses.ended) return false
      }
    }
  }

  /** An error that nobody listens for here is the server's to tell of. */
  _report(error, place) {
    if (this.getListenerConsumerCount('error') > 0) this.emit('error', { error, ...place })
    else this._exchange._broker.emit('error', { error })
  }
}

/** The position before the messages of a page; with `newest` the one after all of them. */
function before({ epoch, offset, messages }, newest) {
  if (newest || messages.length === 0) return { epoch, offset }
  return { epoch, offset: messages[0].offset - 1 }
}

function describe(error) {
  if (error instanceof Error) return { name: error.name, message: error.message }
  return { name: 'Error', message: String(error) }
}

module.exports = DurableConsumer
