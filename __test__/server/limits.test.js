'use strict'

const assert = require('node:assert/strict')
const { behaviour, once, OPCODE } = require('../support')

behaviour('a message above maxPayload closes with 1009', { maxPayload: 1024 }, async (running) => {
  const { client, socket } = await running.rawPair()
  const error = once(socket, 'error')
  client.send({ event: 'x', data: 'a'.repeat(1100) })
  assert.equal((await client.untilClosed()).code, 1009)
  assert.match((await error).error.message, /Max payload size exceeded/)
  await running.untilEmpty()
  await running.assertServes()
})

behaviour(
  'a message of exactly maxPayload bytes is accepted',
  { maxPayload: 1024 },
  async (running) => {
    const { client, socket } = await running.rawPair()
    const head = '{"event":"x","data":"'
    const received = socket.receiver('x').once(5000)
    client.send(`${head}${'a'.repeat(1024 - head.length - 2)}"}`)
    assert.equal((await received).length, 1024 - head.length - 2)
  },
)

behaviour('the fragments of a message count together', { maxPayload: 1024 }, async (running) => {
  const client = await running.raw()
  client.frame(OPCODE.TEXT, 'a'.repeat(600), { fin: false })
  client.frame(OPCODE.CONTINUATION, 'a'.repeat(600))
  assert.equal((await client.untilClosed()).code, 1009)
})

behaviour(
  'a declared length above maxPayload closes before the bytes come',
  { maxPayload: 1024 },
  async (running) => {
    const client = await running.raw()
    client.frame(OPCODE.TEXT, 'a', { form: 64, length: 4294967296 })
    assert.equal((await client.untilClosed()).code, 1009)
  },
)

behaviour('no #handshake in time closes with 4005', { handshakeTimeout: 60 }, async (running) => {
  const abort = once(running.server, 'connectionAbort')
  const client = await running.open()
  assert.deepEqual(await client.untilClosed(), { code: 4005, reason: '' })
  const { code, socket } = await abort
  assert.equal(code, 4005)
  assert.equal(socket.state, 'closed')
  await running.untilEmpty()
})

behaviour(
  'a silent client is closed with 4001 after pingTimeout',
  { pingInterval: 30, pingTimeout: 120 },
  async (running) => {
    const client = await running.raw({ answerPings: false })
    assert.equal((await client.untilClosed()).code, 4001)
    assert.ok(client.pings >= 1)
  },
)

behaviour(
  'pongs keep a client open beyond pingTimeout',
  { pingInterval: 25, pingTimeout: 100 },
  async (running) => {
    const client = await running.raw()
    await client.until(() => client.pings >= 9, 'nine pings')
    assert.equal(client.closed, null)
  },
)

behaviour(
  'ordinary messages keep a client open beyond pingTimeout',
  { pingInterval: 25, pingTimeout: 200 },
  async (running) => {
    const client = await running.raw({ answerPings: false })
    const timer = setInterval(() => client.transmit('busy'), 20)
    try {
      await client.until(() => client.pings >= 20 || client.gone(), 'twenty pings')
      assert.equal(client.closed, null)
    } finally {
      clearInterval(timer)
    }
  },
)

behaviour(
  'pingTimeoutDisabled sends no pings and closes nobody',
  { pingInterval: 10, pingTimeout: 30, pingTimeoutDisabled: true },
  async (running) => {
    const client = await running.raw({ answerPings: false })
    await assert.rejects(client.until(() => client.pings > 0 || client.gone(), 'ping', 150))
    await client.subscribe('still-here')
  },
)
