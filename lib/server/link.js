'use strict'

// The server's line to its native core: commands down, events up, both in batches.

const { CommandBuffer, OP } = require('../core/commands')
const { EventReader } = require('../core/events')
const { toWire, fromWire } = require('../core/names')
const handlers = require('./handlers')
const makeCore = require('./make-core')

// Between two events of one connection the app's loops get this many turns of the microtask
// queue, so that they see events in the order the client caused them.
const TURNS_BETWEEN_EVENTS = 13

// Sent before the queue of microtasks is done if so much has been collected.
const FLUSH_AT = 256 * 1024

// Longest delay of a Node.js timer.
const FOREVER = 0x7fffffff

const NEXT_TURN = Promise.resolve()

/**
 * `request` is the message of the upgrade, or its text: see `request.js`.
 * @typedef {{ slot: number, generation: number, id: string, request: any, socket: any, bridge: any }} Connection
 */

class Link {
  /**
   * @param {import('./server')} server
   * @param {import('../../native/binding.cjs').NativeConfig} config
   * @param {import('../../native/binding.cjs').NativeLimits} limits
   */
  constructor(server, config, limits) {
    this.server = server
    /**
     * Those that JavaScript has anything of; the others are the core's alone.
     * @type {Map<number, Connection>}
     */
    this.connections = new Map()
    this.commands = new CommandBuffer()
    this._dispatching = false
    this._scheduled = false
    /** Commands wait for the end of this turn of the event loop. */
    this._collecting = false
    this._reader = undefined
    this._unseen = []
    this._batch = 0
    /** Number of the last batch of events the app has seen and the core does not know of. */
    this._seen = 0
    this._localPublishes = new Map()
    this._nextLocal = 1
    this._keepAlive = undefined
    this._stopping = false
    /** Nothing more may be asked of the core's streams. */
    this.stopped = false
    /** What needs the core's threads although no connection is left. */
    this._holds = 0
    /** @type {((value?: undefined) => void)[]} whom to tell when there is nothing any more */
    this._released = []
    /** What the core does not see: upgrade requests turned down, messages published from here. */
    this.rejectedUpgrades = 0
    this.publishedHere = 0
    /** The core accepts connections. */
    this.listening = false
    this.core = makeCore(config, limits, this)
  }

  // ---- connections ----

  /**
   * Registers a connection the core has just taken on.
   * @param {number[]} address slot and generation
   * @returns {Connection}
   */
  add([slot, generation], id, request) {
    this.holdProcess()
    return this._register(slot, generation, id, request)
  }

  _register(slot, generation, id, request) {
    const connection = { slot, generation, id, request, socket: undefined, bridge: undefined }
    this.connections.set(slot, connection)
    return connection
  }

  /** The connection in a slot, if it still is of this generation. */
  connection(slot, generation) {
    const known = this.known(slot, generation)
    if (known) return known
    const taken = this.core.takeRequest(slot, generation)
    return taken ? this._register(slot, generation, taken[0], taken[1]) : undefined
  }

  /** The same, if JavaScript has anything of it. */
  known(slot, generation) {
    const connection = this.connections.get(slot)
    return connection && connection.generation === generation ? connection : undefined
  }

  /** Calls `start` when the app's loops have seen what was emitted up to now. */
  whenSeen(start) {
    if (this._unseen.push(start) > 1) return
    setImmediate(() => {
      const starts = this._unseen
      this._unseen = []
      for (const each of starts) each()
    })
  }

  remove(connection) {
    if (this.connections.get(connection.slot) === connection) {
      this.connections.delete(connection.slot)
    }
  }

  // Open connections keep the process alive, as sockets do.
  holdProcess() {
    // The link too, which else is held only by whom the app holds.
    this._keepAlive ??= setInterval(() => this, FOREVER)
  }

  releaseProcess() {
    clearInterval(this._keepAlive)
    this._keepAlive = undefined
  }

  /** Ends the core's thread once no connection is left; for a server that takes no more. */
  stopWhenIdle() {
    this._stopping = true
    this.onIdle()
  }

  onIdle() {
    if (this.stats().links > 0) return
    this.releaseProcess()
    if (!this._stopping || this.listening || this._holds > 0) return
    this.stopped = true
    this.core.stop()
  }

  /** Keeps the core's threads after the server's end, until `release`. */
  hold() {
    this._holds++
  }

  release() {
    this._holds--
    if (this._holds > 0) return
    for (const resolve of this._released.splice(0)) resolve()
    if (this._stopping) this.onIdle()
  }

  /** Resolves when nothing holds the core's threads, and the files of streams are closed. */
  async closeStorage() {
    while (this._holds > 0) await new Promise((resolve) => this._released.push(resolve))
    this.stopped = true
    this.flush()
    this.core.closeStorage()
  }

  /** Accepts no more connections; those that are open keep the process alive. */
  stopListening() {
    this.listening = false
    this.core.unlisten()
    this.holdWhileConnected()
    if (this._stopping) this.onIdle()
  }

  /** Connections that the core has accepted held nothing while it listened. */
  holdWhileConnected() {
    if (this.stats().links > 0) this.holdProcess()
  }

  // ---- commands ----

  /** Begins a command; its fields are to be added in the same turn. */
  command(op, connection) {
    if (!this._scheduled) this._schedule()
    if (this.commands.length > FLUSH_AT) this.flush()
    return this.commands.begin(op, connection)
  }

  /**
   * A whole command about a connection, with a value as the default codec encodes it.
   * @returns {boolean} whether the value could be encoded in place
   */
  encoded(op, connection, value) {
    if (!this._scheduled) this._schedule()
    if (this.commands.length > FLUSH_AT) this.flush()
    return this.commands.encoded(op, connection, value)
  }

  /** Hands all commands to the core. Anything read from the core needs this first. */
  flush() {
    const { buffer, length } = this.commands
    if (!length && !this._seen) return
    const seen = this._seen
    this._seen = 0
    try {
      this.core.flush(buffer, length, seen)
    } finally {
      this.commands.reset()
    }
  }

  /** At once; while events are dispatched the core waits anyway. */
  flushUnlessDispatching() {
    if (!this._dispatching) this.flush()
  }

  /**
   * Hands what is said in the rest of this turn of the event loop to the core together, and so
   * to the client in one piece, as far as nothing has to go at once.
   */
  collectTurn() {
    if (this._collecting) return
    this._collecting = true
    setImmediate(() => {
      this._collecting = false
      this._flushScheduled()
    })
  }

  /**
   * Interest in what a connection may be about to send goes ahead of commands that are collected;
   * it is among them too, so that the last word is right.
   */
  flushInterest(connection, bits) {
    if (!this._collecting) this.flushUnlessDispatching()
    if (!this._collecting || this._dispatching) return
    const ahead = new CommandBuffer()
    ahead.begin(OP.INTEREST, connection).u32(bits)
    this.core.flush(ahead.buffer, ahead.length, 0)
  }

  _schedule() {
    this._scheduled = true
    if (this._dispatching || this._collecting) return
    queueMicrotask(() => {
      if (!this._collecting) this._flushScheduled()
    })
  }

  _flushScheduled() {
    this._scheduled = false
    this.flush()
  }

  // ---- events ----

  async _drain() {
    if (this._dispatching) return
    this._dispatching = true
    try {
      this._take()
      while (!this._reader.done) {
        const slot = this._reader.peekSlot()
        const stream = this._dispatch(this._reader)
        if (slot === -1 || slot !== this._reader.peekSlot()) continue
        // The app's loops run before the next event. Where that is a packet of the same kind, for
        // the same loop, that one has seen enough when it waits for more.
        const loop = stream !== undefined && this._reader.repeats() ? stream : undefined
        for (let turn = 1; turn < TURNS_BETWEEN_EVENTS; turn++) {
          await NEXT_TURN
          if (loop !== undefined && loop.isWaiting) break
        }
        await NEXT_TURN
      }
    } finally {
      this._dispatching = false
      this._acknowledgeSoon()
    }
  }

  /** Hands all commands to the core and takes what comes of them in the same call. */
  drainNow() {
    this.flush()
    if (this._dispatching) while (!this._reader.done) this._dispatch(this._reader)
    this._take()
    while (!this._reader.done) this._dispatch(this._reader)
    if (!this._dispatching) this._acknowledgeSoon()
  }

  _take() {
    this._reader = new EventReader(this.core.drain())
    this._batch = this._reader.batch
  }

  _acknowledgeSoon() {
    const batch = this._batch
    // By then every loop of the app's that these events woke has run.
    setImmediate(() => {
      this._seen = batch
      this._flushScheduled()
    })
  }

  _dispatch(reader) {
    try {
      return handlers.dispatch(this, reader)
    } catch (error) {
      this.server.emitError(error)
      return undefined
    }
  }

  // ---- channels ----

  /**
   * @param {string} channel
   * @param {string | undefined} json
   * @param {boolean} suppressEvent
   * @param {{ data: any } | undefined} local what JavaScript subscribers get instead of a copy
   */
  publish(channel, json, suppressEvent, local) {
    let number = 0
    if (local) {
      number = this._nextLocal
      this._nextLocal = (number % 0x7fffffff) + 1
      this._localPublishes.set(number, local.data)
    }
    this.command(OP.PUBLISH)
      .u32(suppressEvent ? 1 : 0)
      .u32(number)
      .text(toWire(channel))
      .json(json)
    // JavaScript's own subscribers have the message when the call returns.
    if (local) this.drainNow()
  }

  takeLocal(number) {
    const data = this._localPublishes.get(number)
    this._localPublishes.delete(number)
    return data
  }

  /** Asks the core something about channels or sockets; names as arguments and results. */
  ask(method, ...args) {
    this.flush()
    return this.core[method](...args)
  }

  channels() {
    return this.ask('channels').map(fromWire)
  }

  hasChannel(channel) {
    return this.ask('hasChannel', toWire(channel))
  }

  channelsOf({ slot, generation }) {
    return this.ask('channelsOf', slot, generation).map(fromWire)
  }

  /** Live sockets subscribed to a channel. */
  subscribers(channel) {
    const pairs = this.ask('subscribers', toWire(channel))
    const connections = []
    for (let i = 0; i < pairs.length; i += 2) {
      const connection = this.connection(pairs[i], pairs[i + 1])
      if (connection) connections.push(connection)
    }
    return connections
  }

  unsubscribeSocket({ slot, generation }, channel) {
    return this.ask('unsubscribeSocket', slot, generation, toWire(channel))
  }

  stats() {
    this.flush()
    return this.core.stats()
  }

  /** @param {boolean} scrape see the core */
  metrics(scrape) {
    this.flush()
    return this.core.metrics(scrape)
  }

  /** For tests of the addon itself; only in builds made for them. */
  chaos(place) {
    const core = /** @type {any} */ (this.core)
    core.chaos(place)
  }
}

module.exports = Link
