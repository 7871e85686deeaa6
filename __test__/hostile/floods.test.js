'use strict'

// Much at once, from clients that keep the protocol's rules: the others are served meanwhile, and
// the counts return.

const assert = require('node:assert/strict')
const zlib = require('node:zlib')
const { OPCODE, encodeFrame, eventually, oursBehaviour } = require('../support')

const MB = 1 << 20
const OFFER = 'permessage-deflate; client_no_context_takeover; server_no_context_takeover'

const text = (packet) => encodeFrame(OPCODE.TEXT, JSON.stringify(packet))

/** Calls over and over again until told to stop; gives how many were answered. */
function callMeanwhile(client) {
  const state = { stop: false }
  const calls = (async () => {
    let answers = 0
    while (!state.stop) {
      assert.equal((await client.invoke('echo', answers, 20000)).data, answers)
      answers++
      client.packets = []
    }
    return answers
  })()
  return () => {
    state.stop = true
    return calls
  }
}

async function withOthers(running, attack) {
  running.procedure('echo', (request) => request.end(request.data))
  const stop = callMeanwhile(await running.raw())
  await attack()
  assert.ok((await stop()) > 0)
  await eventually(() => running.server.clientsCount === 1, 'only the other client')
  assert.equal(running.server.pendingClientsCount, 0)
  await running.assertServes()
}

oursBehaviour('200,000 publications of one client to itself', async (running) => {
  await withOthers(running, async () => {
    const client = await running.raw()
    await client.subscribe('self')
    let got = 0
    client._text = (message) => {
      if (message.startsWith('{"event":"#publish"')) got++
    }
    const packet = text({ event: '#publish', data: { channel: 'self', data: 1 } })
    const thousand = Buffer.concat(Array(1000).fill(packet))
    for (let n = 0; n < 200; n++) {
      client.write(thousand)
      await client.until(() => got >= (n - 4) * 1000 || client.gone(), 'publications', 20000)
    }
    await client.until(() => got === 200_000 || client.gone(), 'all publications', 20000)
    assert.equal(client.gone(), false)
    client.destroy()
  })
})

oursBehaviour(
  'messages that inflate to much more than maxPayload are refused, those below it are not',
  { perMessageDeflate: true, maxPayload: 20 * MB },
  async (running) => {
    const bomb = (size) => {
      const data = Buffer.alloc(size, 'x')
      data.write('{"event":"any","data":"')
      data.write('"}', size - 2)
      const packed = zlib.deflateRawSync(data, { finishFlush: zlib.constants.Z_SYNC_FLUSH })
      return packed.subarray(0, -4)
    }
    const [large, tooLarge] = [bomb(20 * MB), bomb(200 * MB)]
    await withOthers(running, async () => {
      const headers = { 'Sec-WebSocket-Extensions': OFFER }
      const fine = await running.raw({ headers })
      fine.frame(OPCODE.TEXT, large, { rsv: 4 })
      await fine.subscribe('behind-it')
      const refused = await Promise.all([1, 2, 3].map(() => running.raw({ headers })))
      for (const client of refused) client.frame(OPCODE.TEXT, tooLarge, { rsv: 4 })
      for (const client of refused) {
        assert.equal((await client.untilClosed(10000)).code, 1009)
        client.destroy()
      }
      assert.equal(fine.gone(), false)
      fine.destroy()
    })
  },
)

oursBehaviour('300 clients that subscribe to much and leave at once', async (running) => {
  await withOthers(running, async () => {
    const clients = await Promise.all(Array.from({ length: 300 }, () => running.raw()))
    for (const [n, client] of clients.entries()) {
      const packet = (channel) => text({ event: '#subscribe', data: { channel }, cid: 50 })
      const channels = Array.from({ length: 50 }, (_, i) => `c${(n + i) % 100}`)
      client.write(Buffer.concat(channels.map(packet)))
    }
    for (const client of clients) client.destroy()
    await eventually(() => running.server.clientsCount === 1, 'all gone')
    assert.deepEqual(running.server.brokerEngine.subscriptions(), [])
  })
})

oursBehaviour(
  'connections without a handshake are closed, and others get in meanwhile',
  { handshakeTimeout: 400 },
  async (running) => {
    await withOthers(running, async () => {
      const silent = await Promise.all(Array.from({ length: 300 }, () => running.open()))
      assert.equal(running.server.pendingClientsCount, 300)
      for (const client of silent) assert.equal((await client.untilClosed()).code, 4005)
    })
  },
)
