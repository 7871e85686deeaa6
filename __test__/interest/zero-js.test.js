'use strict'

const assert = require('node:assert/strict')
const { consume, eventually, oursTest, startServer } = require('../support')

const MESSAGES = 1000

/**
 * A test with a server to which nobody in JavaScript listens. Over the bridge every write is an
 * event, because JavaScript owns the socket there, so only taken over sockets are counted.
 */
function unheard(name, body) {
  oursTest(name, async () => {
    const running = await startServer({ watch: false, transport: 'fd' })
    try {
      await body(running)
    } finally {
      await running.stop()
    }
  })
}

const events = ({ server }) => server._native.stats().jsEvents

/** Publishes from one client to the other and waits for the last of them. */
async function publishAll(publisher, subscriber, channel) {
  const before = subscriber.published(channel).length
  for (let n = 0; n < MESSAGES; n++) publisher.transmit('#publish', { channel, data: n })
  const all = () => subscriber.published(channel).length === before + MESSAGES
  await subscriber.until(all, `${MESSAGES} publications`)
}

async function two(running) {
  const publisher = await running.raw()
  const subscriber = await running.raw()
  await subscriber.subscribe('quiet')
  return [publisher, subscriber]
}

unheard('publications which nobody hears in JavaScript make no event there', async (running) => {
  const [publisher, subscriber] = await two(running)
  const before = events(running)
  await publishAll(publisher, subscriber, 'quiet')
  assert.equal(events(running) - before, 0)
})

unheard('handshake and subscription make no event without a listener', async (running) => {
  await running.raw()
  const before = events(running)
  const client = await running.raw()
  await client.subscribe('quiet')
  await client.publish('quiet', 1)
  await client.invoke('#unsubscribe', 'quiet')
  assert.equal(client.published('quiet').length, 1)
  assert.equal(events(running) - before, 0)
})

unheard('acknowledged publications make no event either', async (running) => {
  const [publisher, subscriber] = await two(running)
  const before = events(running)
  for (let n = 0; n < 50; n++) await publisher.publish('quiet', n)
  await subscriber.until(() => subscriber.published('quiet').length === 50)
  assert.equal(events(running) - before, 0)
})

unheard("a loop over the broker's publications hears them until it ends", async (running) => {
  const [publisher, subscriber] = await two(running)
  const heard = []
  const loop = (async () => {
    for await (const { data } of running.server.brokerEngine.listener('publish')) {
      if (heard.push(data) === MESSAGES) break
    }
  })()
  const before = events(running)
  await publishAll(publisher, subscriber, 'quiet')
  await loop
  assert.deepEqual(
    heard,
    Array.from({ length: MESSAGES }, (_, n) => n),
  )
  assert.ok(events(running) - before >= MESSAGES)
  await subscriber.subscribe('barrier')
  const after = events(running)
  await publishAll(publisher, subscriber, 'quiet')
  assert.equal(events(running) - after, 0)
})

unheard('a subscription of the exchange hears its channel only', async (running) => {
  const [publisher, subscriber] = await two(running)
  await subscriber.subscribe('other')
  const { exchange } = running.server
  const heard = []
  const listening = consume(exchange.subscribe('quiet'), (data) => {
    heard.push(data)
  })
  const before = events(running)
  await publishAll(publisher, subscriber, 'other')
  assert.equal(events(running) - before, 0)
  await publishAll(publisher, subscriber, 'quiet')
  await eventually(() => heard.length === MESSAGES, 'publications at the exchange')
  assert.ok(events(running) - before >= MESSAGES)
  listening.stop()
  await exchange.unsubscribe('quiet')
  await subscriber.subscribe('barrier')
  const after = events(running)
  await publishAll(publisher, subscriber, 'quiet')
  assert.equal(events(running) - after, 0)
})

unheard('a receiver of one socket makes events for that socket only', async (running) => {
  const { client, socket } = await running.rawPair()
  const other = await running.raw()
  const heard = []
  consume(socket.receiver('r'), (data) => {
    heard.push(data)
  })
  const before = events(running)
  for (let n = 0; n < 100; n++) other.transmit('r', n)
  await other.subscribe('barrier')
  assert.equal(events(running) - before, 0)
  for (let n = 0; n < 100; n++) client.transmit('r', n)
  await eventually(() => heard.length === 100, 'transmits')
  assert.ok(events(running) - before >= 100)
})

unheard('many events cross in few batches', async (running) => {
  const [publisher, subscriber] = await two(running)
  const heard = []
  consume(running.server.brokerEngine.listener('publish'), ({ data }) => {
    heard.push(data)
  })
  const before = running.server._native.stats()
  await publishAll(publisher, subscriber, 'quiet')
  await eventually(() => heard.length === MESSAGES, 'heard publications')
  const after = running.server._native.stats()
  assert.ok(after.jsBatches - before.jsBatches < MESSAGES / 2)
  assert.ok(after.jsBatches > before.jsBatches)
})

unheard('stats count connections and channels', async (running) => {
  const [publisher, subscriber] = await two(running)
  const pending = await running.open()
  const { connections, open, pending: waiting, channels } = running.server._native.stats()
  assert.deepEqual(
    { connections, open, waiting, channels },
    {
      connections: 3,
      open: 2,
      waiting: 1,
      channels: 1,
    },
  )
  for (const client of [publisher, subscriber, pending]) client.destroy()
  await eventually(() => {
    const stats = running.server._native.stats()
    return stats.connections === 0 && stats.channels === 0
  }, 'empty statistics')
})
