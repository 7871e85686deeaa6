'use strict'

const assert = require('node:assert/strict')
const { eventually, oursBehaviour } = require('../support')

const QUIET = { pingTimeoutDisabled: true, ioThreads: 2 }
const LIMIT = 64 * 1024
const BIG = 'x'.repeat(16 * 1024 - 200)

/** Waits until the figures are these: each thread publishes its own at the end of its turn. */
async function untilMetrics(running, wanted) {
  const matches = () => {
    const metrics = running.server.metrics()
    return Object.entries(wanted).every(([name, value]) => metrics[name] === value)
  }
  await eventually(matches, JSON.stringify(wanted)).catch((error) => {
    const metrics = running.server.metrics()
    const found = Object.keys(wanted).map((name) => [name, metrics[name]])
    assert.deepEqual(Object.fromEntries(found), wanted, error.message)
  })
}

async function subscribers(running, count, options) {
  const clients = []
  for (let n = 0; n < count; n++) {
    const client = await running.raw(options)
    await client.subscribe('a')
    clients.push(client)
  }
  return clients
}

const sum = (clients, read) => clients.reduce((amount, client) => amount + read(client), 0)

oursBehaviour(
  'messages, bytes, subscriptions and publishes are counted exactly',
  QUIET,
  async (running) => {
    const clients = await subscribers(running, 5)
    for (let n = 0; n < 40; n++) running.server.exchange.transmitPublish('a', n)
    for (let n = 0; n < 10; n++) await clients[n % 5].publish('a', n)
    for (const client of clients) {
      await client.until(() => client.published('a').length === 50, 'publications')
    }
    await untilMetrics(running, {
      connections: 5,
      open: 5,
      pending: 0,
      opened: 5,
      aborted: 0,
      channels: 1,
      subscriptions: 5,
      published: 50,
      // The handshake, the subscription and its answer, the ten publishes and theirs.
      messagesReceived: 5 + 5 + 10,
      messagesSent: 5 + 5 + 10 + 50 * 5,
      messagesDropped: 0,
      connectionsCutOff: 0,
      unsentBytes: 0,
      bytesSent: sum(clients, ({ socket }) => socket.bytesRead),
      bytesReceived: sum(
        clients,
        (client) => client.socket.bytesWritten - client.upgradeRequest().length,
      ),
    })
    await clients[0].invoke('#unsubscribe', 'a')
    clients[1].destroy()
    await untilMetrics(running, { connections: 4, subscriptions: 3, opened: 5 })
  },
)

for (const extension of ['server_no_context_takeover', 'client_no_context_takeover']) {
  oursBehaviour(
    `compressed messages are counted like others: ${extension}`,
    { ...QUIET, perMessageDeflate: true },
    async (running) => {
      const headers = { 'Sec-WebSocket-Extensions': `permessage-deflate; ${extension}` }
      const clients = await subscribers(running, 3, { headers })
      for (let n = 0; n < 20; n++) {
        running.server.exchange.transmitPublish('a', `${BIG}${BIG}`.slice(n))
      }
      for (const client of clients) {
        await client.until(() => client.published('a').length === 20, 'publications')
      }
      await untilMetrics(running, { messagesSent: 3 * 2 + 3 * 20, messagesReceived: 6 })
    },
  )
}

oursBehaviour('messages are counted where outbound middleware decides', QUIET, async (running) => {
  running.server.setMiddleware('outbound', async (stream) => {
    for await (const action of stream) action.allow()
  })
  const [client] = await subscribers(running, 1)
  for (let n = 0; n < 10; n++) running.server.exchange.transmitPublish('a', n)
  await client.until(() => client.published('a').length === 10, 'publications')
  await client.publish('a', 10)
  await untilMetrics(running, { published: 11, messagesSent: 2 + 1 + 11 })
})

oursBehaviour(
  'what a client that does not read has lost is counted',
  { ...QUIET, maxBackpressure: 16 * LIMIT, backpressurePolicy: 'drop' },
  async (running) => {
    const [client] = await subscribers(running, 1)
    client.pause()
    let published = 0
    await eventually(() => {
      for (let n = 0; n < 10; n++) running.server.exchange.transmitPublish('a', BIG)
      published += 10
      return running.server.metrics().messagesDropped > 0
    }, 'dropped messages')
    const { unsentBytes } = running.server.metrics()
    assert.ok(unsentBytes > 16 * LIMIT, `${unsentBytes} bytes unsent`)
    await eventually(() => {
      const { messagesSent, messagesDropped } = running.server.metrics()
      return messagesSent + messagesDropped === 2 + published
    }, 'every message sent or dropped')
    client.resume()
    await untilMetrics(running, { unsentBytes: 0, connectionsCutOff: 0 })
    const { messagesSent, bytesSent } = running.server.metrics()
    await client.until(() => client.socket.bytesRead === bytesSent, 'all bytes')
    assert.equal(client.packets.length, messagesSent)
  },
)

oursBehaviour(
  'the bytes of a client that does not read are unsent until it is gone',
  { ...QUIET, maxBackpressure: 0 },
  async (running) => {
    const [client] = await subscribers(running, 1)
    client.pause()
    await eventually(() => {
      for (let n = 0; n < 20; n++) running.server.exchange.transmitPublish('a', BIG)
      return running.server.metrics().unsentBytes > LIMIT
    }, 'unsent bytes')
    client.destroy()
    await untilMetrics(running, { unsentBytes: 0, connections: 0, subscriptions: 0, channels: 0 })
  },
)

oursBehaviour(
  'a connection that is cut off is counted, and leaves nothing unsent',
  { ...QUIET, maxBackpressure: LIMIT },
  async (running) => {
    const [client] = await subscribers(running, 1)
    client.pause()
    await eventually(() => {
      for (let n = 0; n < 20; n++) running.server.exchange.transmitPublish('a', BIG)
      return running.server.metrics().connectionsCutOff > 0
    }, 'cut off connection')
    await untilMetrics(running, { connectionsCutOff: 1, unsentBytes: 0, messagesDropped: 0 })
  },
)

oursBehaviour(
  'connections that do not get as far as a session are counted',
  { ...QUIET, origins: 'localhost:*' },
  async (running) => {
    const headers = { Origin: 'http://localhost:1' }
    assert.equal((await running.open()).status, 403)
    assert.equal((await running.open({ headers, method: 'POST' })).status, 405)
    const client = await running.open({ headers })
    await untilMetrics(running, { rejectedUpgrades: 2, opened: 1, connections: 1, pending: 1 })
    client.destroy()
    await untilMetrics(running, { rejectedUpgrades: 2, opened: 1, aborted: 1, connections: 0 })
  },
)

oursBehaviour(
  'every I/O thread has its figures, and the server has their sums',
  { ...QUIET, ioThreads: 3 },
  async (running, transport) => {
    const { server } = running
    assert.equal(server.metrics().threads.length, 3)
    await subscribers(running, 6)
    server.exchange.transmitPublish('a', 1)
    await untilMetrics(running, { messagesSent: 6 * 3 })
    const metrics = server.metrics()
    for (const name of ['connections', 'messagesSent', 'bytesSent', 'bytesReceived']) {
      const threads = metrics.threads.reduce((amount, thread) => amount + thread[name], 0)
      assert.equal(metrics[name], threads + metrics.bridge[name], name)
    }
    assert.equal(metrics.bridge.connections, transport === 'bridge' ? 6 : 0)
    if (transport === 'bridge') return
    for (const thread of metrics.threads) {
      assert.equal(thread.connections, 2)
      assert.ok(thread.turns > 0 && thread.reads > 0 && thread.writes > 0)
      assert.ok(thread.busy > 0)
      assert.equal(thread.mailboxEntries, 0)
      assert.equal(thread.mailboxBytes, 0)
    }
  },
)

oursBehaviour('a closed server still has its figures', QUIET, async (running) => {
  await subscribers(running, 2)
  await running.close()
  await untilMetrics(running, { connections: 0, open: 0, opened: 2, subscriptions: 0 })
  assert.equal(running.server.metrics().messagesSent, 4)
})
