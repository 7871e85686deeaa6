'use strict'

// Several I/O threads: one order of a channel's messages for everybody, whoever sends and whichever
// thread a subscriber is on.

const assert = require('node:assert/strict')
const { oursBehaviour, oursTest, subject } = require('../support')

const THREADS = [1, 2, 4, 8]
const PUBLISHERS = 4
const MESSAGES = 200

const times = (count, make) => Array.from({ length: count }, (_, n) => make(n))
const connect = (running, count) => Promise.all(times(count, () => running.raw()))

for (const ioThreads of THREADS) {
  oursBehaviour(
    `with ioThreads ${ioThreads} all subscribers see one sequence of a channel`,
    { ioThreads },
    async (running) => {
      const subscribers = await connect(running, 24)
      const publishers = await connect(running, PUBLISHERS)
      const everybody = [...subscribers, ...publishers]
      await Promise.all(everybody.map((client) => client.subscribe('all')))
      publishers.forEach((client, publisher) => {
        for (let n = 0; n < MESSAGES; n++) {
          client.send({ event: '#publish', data: { channel: 'all', data: [publisher, n] } })
        }
      })
      for (let n = 0; n < MESSAGES; n++) {
        running.server.exchange.transmitPublish('all', [PUBLISHERS, n])
        if (n % 10 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
      const count = (PUBLISHERS + 1) * MESSAGES
      const complete = (client) => client.published('all').length >= count
      for (const client of everybody) {
        await client.until(() => complete(client), 'all messages', 15000)
      }
      const sequence = publishers[0].published('all')
      for (const client of everybody) assert.deepEqual(client.published('all'), sequence)
      // Nothing is lost or comes twice, and each publisher's own order is kept.
      for (let publisher = 0; publisher <= PUBLISHERS; publisher++) {
        const own = sequence.filter(([from]) => from === publisher).map(([, n]) => n)
        assert.deepEqual(
          own,
          times(MESSAGES, (n) => n),
        )
      }
    },
  )

  oursBehaviour(
    `with ioThreads ${ioThreads} subscriptions hold from their answer to that of their end`,
    { ioThreads },
    async (running) => {
      const publisher = await running.raw()
      const clients = await connect(running, 16)
      let sent = 0
      const state = { stop: false }
      const publishing = (async () => {
        while (!state.stop) await publisher.publish('busy', sent++)
      })()
      await Promise.all(clients.map((client, seed) => comeAndGo(client, seed, () => sent)))
      state.stop = true
      await publishing
    },
  )
}

/** Subscribes and unsubscribes a few times; what comes must be what was published in between. */
async function comeAndGo(client, seed, sent) {
  for (let round = 0; round < 5; round++) {
    const before = client.published('busy').length
    await client.subscribe('busy')
    const from = sent()
    const goal = from + 10 + (seed % 7)
    const got = () => client.published('busy').slice(before)
    await client.until(() => got().at(-1) >= goal, 'messages')
    await client.invoke('#unsubscribe', 'busy')
    const numbers = got()
    // Published from the answer on: all; and no gap in what came.
    assert.ok(numbers[0] <= from, `${numbers[0]} is the first since ${from}`)
    assert.deepEqual(
      numbers,
      times(numbers.length, (n) => numbers[0] + n),
    )
    const later = sent() + 5
    await client.until(() => sent() > later || pollAgain(client), 'more publications')
    assert.equal(got().length, numbers.length)
  }
}

/** Has `until` look again soon: nothing comes for this client. */
function pollAgain(client) {
  setTimeout(() => client._wake(), 2)
  return false
}

oursBehaviour(
  'messages of different channels keep the order in which one client sent them',
  { ioThreads: 4 },
  async (running) => {
    const subscribers = await connect(running, 8)
    for (const client of subscribers) {
      await Promise.all([client.subscribe('a'), client.subscribe('b')])
    }
    const publisher = await running.raw()
    for (let n = 0; n < 300; n++) {
      publisher.transmit('#publish', { channel: n % 3 === 0 ? 'a' : 'b', data: n })
    }
    for (const client of subscribers) {
      await client.until(() => client.events('#publish').length === 300, 'all messages')
      const numbers = client.events('#publish').map((packet) => packet.data.data)
      assert.deepEqual(
        numbers,
        times(300, (n) => n),
      )
    }
  },
)

oursBehaviour(
  'with a flushDelay everything comes, in order, and answers too',
  { flushDelay: 20, ioThreads: 2 },
  async (running) => {
    running.procedure('echo', (request) => request.end(request.data))
    const subscribers = await connect(running, 6)
    await Promise.all(subscribers.map((client) => client.subscribe('c')))
    const publisher = await running.raw()
    for (let n = 0; n < 50; n++) {
      publisher.transmit('#publish', { channel: 'c', data: n })
      if (n % 10 === 0) assert.equal((await publisher.invoke('echo', n)).data, n)
    }
    // More than a turn may hold.
    const big = 'x'.repeat(3 << 20)
    await publisher.publish('c', big)
    await publisher.publish('c', 'last')
    for (const client of subscribers) {
      await client.until(() => client.published('c').length === 52, 'all messages')
      const numbers = client.published('c').slice(0, 50)
      assert.deepEqual(
        numbers,
        times(50, (n) => n),
      )
      assert.ok(client.published('c')[50] === big)
      assert.equal(client.published('c')[51], 'last')
    }
  },
)

oursBehaviour(
  'with a flushDelay a close frame still comes',
  { flushDelay: 20 },
  async (running) => {
    const { client, socket } = await running.rawPair()
    socket.disconnect(4100, 'enough')
    assert.deepEqual(await client.untilClosed(), { code: 4100, reason: 'enough' })
    await client.untilEnded()
  },
)

oursTest('options of threads and memory that are out of range are an InvalidOptionsError', () => {
  const refused = (options, message) =>
    assert.throws(
      () => new subject.AGServer({ ...options, wsEngineServerOptions: { noServer: true } }),
      { name: 'InvalidOptionsError', code: 'ERR_INVALID_OPTIONS', message },
    )
  for (const value of [0, -1, 65, 1.5, NaN, Infinity, '2', null]) {
    refused({ ioThreads: value }, /ioThreads option must be a whole number from 1 to 64/)
  }
  for (const value of [-1, NaN, '5', null]) {
    refused({ flushDelay: value }, /flushDelay option must be a number of milliseconds/)
    refused({ maxMemory: value }, /maxMemory option must be a number of bytes/)
    refused({ maxBackpressure: value }, /maxBackpressure option must be a number of bytes/)
  }
  for (const value of ['pause', '', true, null]) {
    refused({ backpressurePolicy: value }, /backpressurePolicy option must be one of: close, drop/)
  }
})
