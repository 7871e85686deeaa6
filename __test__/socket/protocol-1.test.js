'use strict'

const assert = require('node:assert/strict')
const { behaviour, once } = require('../support')

const V1 = { protocolVersion: 1 }

behaviour(
  'protocol 1 pings with #1 and takes #2',
  { ...V1, pingInterval: 25, pingTimeout: 100 },
  async (running) => {
    const client = await running.raw()
    await client.until(() => client.pings >= 8, 'eight pings')
    assert.equal(client.closed, null)
    const ping = client.frames.find(({ payload }) => payload.toString() === '#1')
    assert.ok(ping)
    assert.equal(
      client.frames.some(({ payload }) => payload.length === 0),
      false,
    )
  },
)

behaviour(
  'protocol 1 closes a silent client',
  { ...V1, pingInterval: 20, pingTimeout: 80 },
  async (running) => {
    const client = await running.raw({ answerPings: false })
    assert.equal((await client.untilClosed()).code, 4001)
  },
)

behaviour('protocol 1 takes an empty message as unreadable, not as a pong', V1, async (running) => {
  const { client, socket } = await running.rawPair()
  const raw = once(socket, 'raw')
  client.send('')
  assert.equal((await raw).message, '')
})

behaviour('a pong of protocol 1 before the handshake closes with 4009', V1, async (running) => {
  const client = await running.open()
  client.send('#2')
  assert.equal((await client.untilClosed()).code, 4009)
})

behaviour('protocol 1 has the same rpc and publications', V1, async (running) => {
  running.procedure('echo', (request) => request.end(request.data))
  const { client, socket } = await running.rawPair()
  assert.equal(socket.protocolVersion, 1)
  assert.deepEqual(await client.invoke('echo', [1]), { rid: 2, data: [1] })
  await client.subscribe('a')
  await client.publish('a', 'x')
  assert.deepEqual(client.published('a'), ['x'])
})

behaviour('protocol 2 takes #1 and #2 as raw messages', async (running) => {
  const { client, socket } = await running.rawPair()
  const raw = once(socket, 'raw')
  client.send('#2')
  assert.equal((await raw).message, '#2')
})
