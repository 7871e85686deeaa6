'use strict'

const assert = require('node:assert/strict')
const { create } = require('../../client')
const { consume, eventually, once, oursBehaviour, record } = require('../support')
const { watch } = require('./scripted-server')

const STREAMS = {
  streams: [
    { match: 'kept/*', class: 'history' },
    { match: 'short/*', class: 'history', size: 50 },
    { match: 'room/*', class: 'plain', presence: true },
  ],
}
const AT_ONCE = { initialDelay: 1, randomness: 0, multiplier: 1 }
const upTo = (n) => Array.from({ length: n }, (_, i) => i + 1)

function real(name, body) {
  oursBehaviour(name, STREAMS, async (running) => {
    const clients = []
    const connect = async (options) => {
      const client = create({
        hostname: '127.0.0.1',
        port: running.port,
        authTokenName: `real-${clients.length}`,
        autoReconnectOptions: { ...AT_ONCE },
        ...options,
      })
      clients.push(client)
      await once(client, 'connect')
      return client
    }
    try {
      await body({ ...running, running, exchange: running.server.exchange }, connect)
    } finally {
      for (const client of clients) client.disconnect()
    }
  })
}

async function subscribe(client, name, options) {
  const subscribed = once(client, 'subscribe')
  const channel = client.subscribe(name, options)
  await subscribed
  return channel
}

/** Ends the client's connection, and does something before it is back. */
async function away(client, action) {
  const reconnect = client.connect.bind(client)
  client.connect = () => {}
  const closed = once(client, 'close')
  client.transport.socket.close()
  await closed
  await action()
  client.connect = reconnect
  client.connect()
}

real('a client recovers what it missed', async ({ exchange }, connect) => {
  const client = await connect()
  const channel = await subscribe(client, 'kept/a')
  const seen = watch(channel)
  assert.equal(channel.position.offset, 0)
  for (const n of upTo(3)) await exchange.invokePublish('kept/a', n)
  await seen.count(3)
  await away(client, async () => {
    for (const n of [4, 5, 6]) await exchange.invokePublish('kept/a', n)
  })
  await seen.recovered()
  await exchange.invokePublish('kept/a', 7)
  await seen.count(7)
  assert.deepEqual(seen.data, upTo(7))
  assert.deepEqual(
    seen.messages.map(({ offset }) => offset),
    upTo(7),
  )
  const { epoch } = channel.position
  assert.deepEqual(seen.recoveries, [{ channel: 'kept/a', recovered: true, epoch, offset: 6 }])
})

real('a client learns that it cannot', async ({ exchange }, connect) => {
  const client = await connect()
  const channel = await subscribe(client, 'short/a')
  const seen = watch(channel)
  await exchange.invokePublish('short/a', 0)
  await seen.count(1)
  await away(client, async () => {
    for (const n of upTo(60)) await exchange.invokePublish('short/a', n)
  })
  await seen.recovered()
  assert.equal(channel.recovered, false)
  assert.equal(channel.position.offset, 61)
  await exchange.invokePublish('short/a', 'live')
  await seen.count(2)
  assert.deepEqual(seen.data, [0, 'live'])
})

real('a position that was stored is where another client begins', async ({ exchange }, connect) => {
  const first = await connect()
  await subscribe(first, 'kept/a')
  const since = await first.invokePublish('kept/a', 1)
  for (const n of [2, 3]) await exchange.invokePublish('kept/a', n)
  const second = await connect()
  const seen = watch(second.channel('kept/a'))
  second.subscribe('kept/a', { since: JSON.parse(JSON.stringify(since)) })
  await seen.recovered()
  assert.deepEqual(seen.data, [2, 3])
  const failed = once(second, 'subscribeFail')
  second.subscribe('kept/b', { since: { epoch: 5 } })
  assert.equal((await failed).error.code, 'ERR_BAD_POSITION')
  const elsewhere = watch(second.channel('kept/c'))
  second.subscribe('kept/c', { since: { epoch: 'other', offset: 1 } })
  await elsewhere.recovered()
  assert.equal(elsewhere.recoveries[0].recovered, false)
  const plain = watch(second.channel('plain'))
  second.subscribe('plain', { since })
  await plain.recovered()
  assert.deepEqual(plain.recoveries, [{ channel: 'plain', recovered: false }])
})

real('a busy channel over many interruptions', async ({ exchange, running }, connect) => {
  const client = await connect()
  const channel = await subscribe(client, 'kept/a')
  const seen = watch(channel)
  const last = 400
  let published = 0
  while (published < last) {
    for (let n = 0; n < 20; n++) exchange.transmitPublish('kept/a', ++published)
    const { socket } = client.transport
    if (published % 40 === 0) socket.terminate()
    else await running.raw().then((raw) => raw.destroy())
    if (published % 40 === 0) await once(client, 'connect')
  }
  await seen.count(last)
  assert.deepEqual(seen.data, upTo(last))
  assert.ok(seen.recoveries.every(({ recovered }) => recovered))
  assert.ok(seen.recoveries.length > 5)
})

real('publishes with a key, a delay and a time', async (_, connect) => {
  const client = await connect()
  const channel = await subscribe(client, 'kept/a')
  const seen = watch(channel)
  const first = await channel.invokePublish('a', { key: 'k' })
  assert.deepEqual(await channel.invokePublish('b', { key: 'k' }), { ...first, duplicate: true })
  const { id, due } = await channel.invokePublish('later', { delay: 1 })
  assert.equal(typeof id, 'string')
  assert.ok(Number.isFinite(due))
  await channel.transmitPublish('at', { at: due, key: 'l' })
  await seen.count(3)
  assert.deepEqual([...seen.data].sort(), ['a', 'at', 'later'])
  const rejected = (code) => ({ name: 'StreamError', code })
  await assert.rejects(client.invokePublish('plain', 1, { key: 'k' }), rejected('ERR_NOT_KEPT'))
  await assert.rejects(channel.invokePublish(1, { key: '' }), rejected('ERR_BAD_KEY'))
  await assert.rejects(channel.invokePublish(1, { delay: -1 }), rejected('ERR_BAD_SCHEDULE'))
  assert.equal(await client.invokePublish('plain', 1), undefined)
})

real('history', async (_, connect) => {
  const client = await connect()
  const channel = await subscribe(client, 'kept/a')
  for (const n of upTo(5)) await channel.invokePublish(n)
  const { epoch, offset, messages, more } = await channel.history({ limit: 2 })
  assert.deepEqual({ epoch, offset, more }, { ...channel.position, more: true })
  assert.deepEqual(
    messages.map(({ data }) => data),
    [1, 2],
  )
  const since = { epoch, offset: 4 }
  const newest = await channel.history({ since, reverse: true })
  assert.deepEqual(
    newest.messages.map(({ data }) => data),
    [3, 2, 1],
  )
  const code = (expected) => ({ name: 'StreamError', code: expected })
  await assert.rejects(client.history('kept/b'), code('ERR_NOT_SUBSCRIBED'))
  await subscribe(client, 'plain')
  await assert.rejects(client.history('plain'), code('ERR_NOT_KEPT'))
  await assert.rejects(client.presence('plain'), code('ERR_NO_PRESENCE'))
})

real('presence', async (_, connect) => {
  const ann = await connect()
  const room = await subscribe(ann, 'room/1', { data: { name: 'ann' } })
  const joins = record(room, 'join')
  const leaves = record(room, 'leave')
  const bob = await connect()
  await subscribe(bob, 'room/1', { data: { name: 'bob' } })
  await joins.count(1)
  assert.deepEqual([...joins], [{ id: bob.id, info: { name: 'bob' } }])
  const { members, count } = await room.presence()
  assert.equal(count, 2)
  assert.deepEqual(members.map(({ info }) => info.name).sort(), ['ann', 'bob'])
  const { id } = bob
  bob.disconnect()
  await leaves.count(1)
  assert.equal(leaves[0].id, id)
  assert.equal((await room.presence()).count, 1)
})

real('a prefix and a kick-out', async ({ exchange, server }, connect) => {
  const client = await connect({ channelPrefix: 'kept/' })
  const channel = await subscribe(client, 'a')
  const seen = watch(channel)
  await exchange.invokePublish('kept/a', 1)
  await seen.count(1)
  const kicked = once(client, 'kickOut')
  await server.clients[client.id].kickOut('kept/a', 'out')
  assert.equal((await kicked).channel, 'a')
  await exchange.invokePublish('kept/a', 2)
  channel.subscribe()
  await seen.recovered()
  assert.deepEqual(seen.data, [1, 2])
  channel.unsubscribe()
  await exchange.invokePublish('kept/a', 3)
  await subscribe(client, 'a')
  await exchange.invokePublish('kept/a', 4)
  await seen.count(3)
  assert.deepEqual(seen.data, [1, 2, 4])
})

real('a client in a batch, and one that waits for authentication', async (context, connect) => {
  const { exchange, running } = context
  const client = await connect({ batchOnHandshake: true })
  const seen = watch(client.channel('kept/a'))
  client.subscribe('kept/a', { waitForAuth: true })
  running.onConnection((socket) => {
    consume(socket.procedure('login'), async (request) => {
      await socket.setAuthToken({ name: 'ann' })
      request.end()
    })
  })
  await away(client, () => {})
  await once(client, 'connect')
  assert.equal(client.isSubscribed('kept/a'), false)
  const subscribed = once(client, 'subscribe')
  await client.invoke('login')
  await subscribed
  await exchange.invokePublish('kept/a', 1)
  await seen.count(1)
  await away(client, () => exchange.invokePublish('kept/a', 2))
  await seen.count(2)
  await seen.recovered()
  assert.deepEqual(seen.data, [1, 2])
  await eventually(() => client.channel('kept/a').recovered === true)
})

/** Outbound middleware by socket: `decide` for those in `limited`. Counts what clients ask for. */
function limitedBy(server, decide) {
  const limited = new Set()
  const asked = []
  server.setMiddleware('outbound', async (stream) => {
    for await (const action of stream) {
      if (limited.has(action.socket.id)) decide(action)
      else action.allow()
    }
  })
  server.setMiddleware('inbound', async (stream) => {
    for await (const action of stream) {
      if (action.type === action.HISTORY) asked.push(action.socket.id)
      action.allow()
    }
  })
  return { limited, asked }
}

real('a client gets what outbound middleware lets pass', async (context, connect) => {
  const { exchange, server } = context
  const { limited, asked } = limitedBy(server, (action) => {
    if (action.data % 2 === 0) action.block()
    else if (action.data % 5 === 0) action.allow({ data: `about ${action.data}` })
    else action.allow()
  })
  const [ann, bob] = [await connect(), await connect()]
  const expected = (n) =>
    upTo(n)
      .filter((each) => each % 2 !== 0)
      .map((each) => (each % 5 === 0 ? `about ${each}` : each))
  const channel = await subscribe(bob, 'kept/a')
  const all = watch(await subscribe(ann, 'kept/a'))
  const seen = watch(channel)
  limited.add(bob.id)
  for (const n of upTo(301)) await exchange.invokePublish('kept/a', n)
  await all.count(301)
  await seen.count(151)
  assert.deepEqual(all.data, upTo(301))
  assert.deepEqual(seen.data, expected(301))
  assert.ok(asked.length <= 4, `asked ${asked.length} times`)
  const { messages } = await channel.history({ limit: 5 })
  assert.deepEqual(
    messages.map(({ offset, data }) => [offset, data]),
    [
      [1, 1],
      [3, 3],
      [5, 'about 5'],
    ],
  )
  context.running.onConnection((socket) => void limited.add(socket.id))
  await away(bob, async () => {
    for (let n = 302; n <= 400; n++) await exchange.invokePublish('kept/a', n)
  })
  await eventually(() => channel.position.offset === 400 && channel.recovered)
  assert.deepEqual(seen.data, expected(400))
  assert.ok(seen.recoveries.every(({ recovered }) => recovered))
  assert.ok(asked.length <= 9, `asked ${asked.length} times`)
})

real('a client from which all is kept goes on behind it', async ({ exchange, server }, connect) => {
  const { limited, asked } = limitedBy(server, (action) => {
    if (action.data === 'open') action.allow()
    else action.block()
  })
  const client = await connect()
  const channel = await subscribe(client, 'kept/a')
  const seen = watch(channel)
  limited.add(client.id)
  for (const n of upTo(900)) exchange.transmitPublish('kept/a', n)
  await exchange.invokePublish('kept/a', 'open')
  await seen.count(1)
  assert.deepEqual(seen.data, ['open'])
  assert.ok(asked.length <= 2, `asked ${asked.length} times`)
  assert.ok(seen.recoveries.every(({ recovered }) => recovered))
})
