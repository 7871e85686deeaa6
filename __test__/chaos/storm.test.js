'use strict'

// All clients lose their connections at once and come back with the positions they have, while
// messages go on: nobody misses one, nobody gets one twice.

const assert = require('node:assert/strict')
const { chaosTest } = require('./support/chaos-test')
const { LightClient } = require('./support/light-client')
const { ServerProcess } = require('./support/server-process')
const { Swarm } = require('./support/swarm')

const CLIENTS = Number(process.env.ES_NETWORKCLUSTER_CHAOS_CLIENTS) || 500
const STORMS = 2
/** Milliseconds within which they come back. */
const SPREAD = CLIENTS > 2000 ? 5000 : 1000
/** So many listen to one channel. */
const PER_CHANNEL = 50
/** Milliseconds between two messages of a channel. */
const PERIOD = CLIENTS > 2000 ? 250 : 50

/** Publishes to all channels, a round after the other, until it is stopped. */
class Talk {
  constructor(client, channels) {
    this.client = client
    this.channels = channels
    /** Last offset by channel. */
    this.heads = {}
    this._stopped = false
    this.ended = this._run()
  }

  stop() {
    this._stopped = true
    return this.ended
  }

  async _run() {
    for (let number = 1; !this._stopped; number++) {
      const pause = new Promise((resolve) => setTimeout(resolve, PERIOD))
      await Promise.all(this.channels.map((channel) => this._say(channel, number)))
      await pause
    }
  }

  async _say(channel, number) {
    const { offset } = await this.client.call('#publish', { channel, data: number })
    this.heads[channel] = offset
  }
}

chaosTest(`${CLIENTS} clients that reconnect within ${SPREAD} ms`, async (t) => {
  const server = new ServerProcess({ streams: [{ match: 'storm/*', class: 'history' }] })
  await server.start()
  const names = Array.from({ length: Math.ceil(CLIENTS / PER_CHANNEL) }, (_, n) => `storm/${n}`)
  const swarm = new Swarm(server.port, CLIENTS, names.length)
  try {
    await swarm.connect()
    const talk = new Talk(await new LightClient(server.port).connect(), names)
    const began = performance.now()
    for (let storm = 0; storm < STORMS; storm++) await swarm.storm(SPREAD)
    const took = performance.now() - began
    await talk.stop()
    const { there, recovered, messages, ...faults } = await swarm.totals(talk.heads)
    t.diagnostic(
      `${recovered} of ${CLIENTS * STORMS} recovered, ${messages} messages, ` +
        `${Math.round(took / STORMS)} ms a storm; ${JSON.stringify(faults)}`,
    )
    assert.equal(there, CLIENTS)
    const { lost, ...others } = faults
    assert.ok(lost <= CLIENTS * STORMS * 0.001, `${lost} were not recovered`)
    assert.deepEqual(others, { missing: 0, twice: 0, wrong: 0, refused: 0 })
    assert.deepEqual(server.errors, [])
  } finally {
    swarm.close()
    await server.kill()
  }
})
