'use strict'

const assert = require('node:assert/strict')
const { behaviour, OPCODE } = require('../support')
const { deflate } = require('../support/inflater')

const OFFER = 'permessage-deflate; client_max_window_bits'
const NO_TAKEOVER = 'permessage-deflate; server_no_context_takeover'
const WORDS = 'the quick brown fox jumps over the lazy dog '.repeat(60)

const offering = (extension) => ({ headers: { 'Sec-WebSocket-Extensions': extension } })

async function subscriber(running, extension) {
  const client = await running.raw(offering(extension))
  await client.subscribe('big')
  return client
}

/** Publishes WORDS and gives back the frame in which they came. */
async function published(running, client) {
  const before = client.published('big').length
  await running.server.exchange.invokePublish('big', WORDS)
  await client.until(() => client.published('big').length > before, 'publication')
  assert.equal(client.published('big').at(-1), WORDS)
  return client.frames.findLast(({ opcode, payload }) => opcode === OPCODE.TEXT && payload.length)
}

behaviour('nothing is compressed unless the option says so', async (running) => {
  const client = await subscriber(running, OFFER)
  assert.equal(client.header('sec-websocket-extensions'), undefined)
  const frame = await published(running, client)
  assert.equal(frame.rsv1, false)
  assert.ok(frame.payload.length > WORDS.length)
})

behaviour(
  'nothing is compressed for a client which did not offer',
  { perMessageDeflate: true },
  async (running) => {
    const client = await running.raw()
    await client.subscribe('big')
    assert.equal((await published(running, client)).rsv1, false)
  },
)

behaviour(
  'a publication is compressed on the wire',
  { perMessageDeflate: true },
  async (running) => {
    const client = await subscriber(running, OFFER)
    assert.match(client.header('sec-websocket-extensions'), /^permessage-deflate/)
    const frame = await published(running, client)
    assert.equal(frame.rsv1, true)
    assert.ok(frame.payload.length < WORDS.length / 4, `${frame.payload.length} bytes`)
  },
)

behaviour(
  'a repeated message is smaller by the context',
  { perMessageDeflate: true },
  async (running) => {
    const client = await subscriber(running, OFFER)
    const first = await published(running, client)
    const second = await published(running, client)
    assert.ok(second.payload.length < first.payload.length / 2)
  },
)

behaviour(
  'without context takeover each message is compressed alone',
  { perMessageDeflate: true },
  async (running) => {
    const client = await subscriber(running, NO_TAKEOVER)
    assert.match(client.header('sec-websocket-extensions'), /server_no_context_takeover/)
    const first = await published(running, client)
    const second = await published(running, client)
    assert.ok(first.rsv1 && second.rsv1)
    assert.deepEqual(second.payload, first.payload)
  },
)

behaviour(
  'subscribers with and without compression get the same publication',
  { perMessageDeflate: true },
  async (running) => {
    const packed = await subscriber(running, OFFER)
    const alone = await subscriber(running, NO_TAKEOVER)
    const plain = await running.raw()
    await plain.subscribe('big')
    for (let n = 0; n < 5; n++) await running.server.exchange.invokePublish('big', n + WORDS)
    for (const client of [packed, alone, plain]) {
      await client.until(() => client.published('big').length === 5, 'five publications')
      assert.deepEqual(
        client.published('big'),
        [0, 1, 2, 3, 4].map((n) => n + WORDS),
      )
    }
  },
)

behaviour(
  'a compressed message of the client is read',
  { perMessageDeflate: true },
  async (running) => {
    const { client, socket } = await running.rawPair(offering(OFFER))
    const received = socket.receiver('packed').once(5000)
    client.frame(OPCODE.TEXT, deflate(JSON.stringify({ event: 'packed', data: WORDS })), { rsv: 4 })
    assert.equal(await received, WORDS)
  },
)

behaviour(
  'a compressed message which grows above maxPayload closes with 1009',
  { perMessageDeflate: true, maxPayload: 10000 },
  async (running) => {
    const client = await running.raw(offering(OFFER))
    const bomb = deflate(Buffer.alloc(5000000, 97))
    assert.ok(bomb.length < 10000)
    client.frame(OPCODE.TEXT, bomb, { rsv: 4 })
    assert.equal((await client.untilClosed()).code, 1009)
    await running.assertServes()
  },
)

behaviour('RSV1 without the extension closes with 1002', async (running) => {
  const client = await running.raw()
  client.frame(OPCODE.TEXT, 'x', { rsv: 4 })
  assert.equal((await client.untilClosed()).code, 1002)
})
