'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { eventually } = require('../support/events')
const { ScriptedServer, watch } = require('./scripted-server')

const STEPS = 400
const SEEDS = process.env.SEED ? [Number(process.env.SEED)] : [1, 2, 3, 4, 5, 6, 7, 8]
const KEPT = 40

/** The same numbers for the same seed. */
function randomFrom(seed) {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** A server that publishes, drops, repeats, withholds and forgets as the random numbers say. */
class Chaos {
  constructor(server, seed, { forgets }) {
    this.server = server
    this.random = randomFrom(seed)
    this.forgets = forgets
    this.published = 0
    server.intercept = (packet, connection) => this._intercept(packet, connection)
  }

  get kept() {
    return this.server.channel('c')
  }

  async run() {
    for (let step = 0; step < STEPS; step++) {
      this._step()
      if (this.random(3) === 0) await new Promise(setImmediate)
      if (this.random(10) === 0) await this._untilSubscribed()
    }
    this.server.intercept = () => false
    // The last one is delivered, so that the client can see what it lacks.
    this.server.publish('c', ++this.published)
  }

  _untilSubscribed() {
    const { connections } = this.server
    const isSubscribed = () => [...connections].some(({ subscriptions }) => subscriptions.has('c'))
    return eventually(isSubscribed, 'subscription of the client')
  }

  _step() {
    const what = this.random(100)
    if (what < 70) this.server.publish('c', ++this.published, { deliver: what > 5 })
    else if (what < 85) this._repeat()
    else if (what < 88) this.server.drop()
    else if (this.forgets) this._forget(what)
  }

  _repeat() {
    const { log } = this.kept
    if (log.length > 0) this.server.deliver('c', log[this.random(log.length)])
  }

  _forget(what) {
    if (what < 95) this.kept.trim(Math.min(this.random(KEPT), this.kept.log.length))
    else if (what < 96) {
      this.server.channels.delete('c')
      this.kept.epoch = `epoch-${this.published}`
      // A new epoch begins with a new process, to which nobody is connected.
      this.server.drop()
    }
  }

  _intercept(packet, connection) {
    const { event } = packet
    if (event === '#handshake' || this.random(6) > 0) return false
    if (event === '#history' && this.forgets && this.random(2) === 0) {
      connection.refuse(packet, 'ERR_POSITION_LOST')
    } else connection.ws.terminate()
    return true
  }
}

/** Everything the app was given, in the order in which it was. */
function record(channel) {
  const { client, name } = channel
  const events = []
  const write = client._channelEventDemux.write.bind(client._channelEventDemux)
  client._channelEventDemux.write = (stream, value) => {
    if (stream === `${name}/message` || stream === `${name}/recover`) events.push(value)
    write(stream, value)
  }
  return events
}

/** No message twice, none out of order, and no jump that was not announced. */
function check(events) {
  let last
  for (const event of events) {
    const { epoch, offset } = event
    if (event.recovered === true) assert.deepEqual({ epoch, offset }, last ?? { epoch, offset })
    else if (event.recovered !== false) {
      if (last) assert.deepEqual({ epoch, offset }, { epoch: last.epoch, offset: last.offset + 1 })
    }
    last = { epoch, offset }
  }
}

for (const forgets of [false, true]) {
  for (const seed of SEEDS) {
    const name = `${forgets ? 'a forgetful' : 'an unreliable'} server, seed ${seed}`
    test(name, { timeout: 60000 }, async () => {
      const server = await ScriptedServer.start()
      try {
        const client = server.client()
        const channel = client.subscribe('c', { since: { epoch: 'first', offset: 0 } })
        const seen = watch(channel)
        const events = record(channel)
        const chaos = new Chaos(server, seed, { forgets })
        await chaos.run()
        await eventually(
          () =>
            channel.position?.epoch === chaos.kept.epoch &&
            channel.position.offset === chaos.kept.head,
          'the last message',
          20000,
        )
        check(events)
        assert.equal(new Set(seen.data).size, seen.data.length)
        assert.deepEqual(
          seen.data,
          [...seen.data].sort((a, b) => a - b),
        )
        if (forgets) return
        assert.equal(seen.data.length, chaos.published)
        assert.ok(seen.recoveries.every(({ recovered }) => recovered))
      } finally {
        await server.stop()
      }
    })
  }
}
