'use strict'

const assert = require('node:assert/strict')
const { behaviour, eventually, once, record, OPCODE } = require('../support')

behaviour('disconnect sends its code and reason', async (running) => {
  const { client, socket } = await running.rawPair()
  const event = once(socket, 'disconnect')
  const closure = once(running.server, 'closure')
  socket.disconnect(4321, 'because')
  assert.equal(socket.state, 'closed')
  assert.deepEqual(await client.untilClosed(), { code: 4321, reason: 'because' })
  assert.deepEqual(await event, { code: 4321, reason: 'because' })
  assert.deepEqual(await closure, { socket, code: 4321, reason: 'because' })
})

behaviour('disconnect without a code is 1000', async (running) => {
  const { client, socket } = await running.rawPair()
  const event = once(socket, 'disconnect')
  socket.disconnect()
  assert.deepEqual(await client.untilClosed(), { code: 1000, reason: '' })
  assert.equal((await event).code, 1000)
  await client.untilEnded()
  assert.equal(running.warnings.length, 0)
})

behaviour('the last messages before a disconnect are delivered', async (running) => {
  const { client, socket } = await running.rawPair()
  for (let n = 0; n < 50; n++) socket.send(`last ${n}`)
  socket.disconnect(4000)
  await client.untilEnded()
  assert.equal(client.texts.filter((text) => text.startsWith('last')).length, 50)
  assert.equal(client.closed.code, 4000)
})

behaviour('terminate ends the connection without a close frame', async (running) => {
  const { client, socket } = await running.rawPair()
  const event = once(socket, 'disconnect')
  socket.terminate()
  assert.equal(await client.untilEnded(), null)
  assert.equal((await event).code, 1006)
})

behaviour("the client's code and reason are those of the event", async (running) => {
  const { client, socket } = await running.rawPair()
  const event = once(socket, 'disconnect')
  const error = once(socket, 'error')
  client.sendClose(4777, 'grund')
  assert.deepEqual(await event, { code: 4777, reason: 'grund' })
  assert.equal((await error).error.name, 'SocketProtocolError')
  assert.equal((await error).error.code, 4777)
  assert.equal((await client.untilEnded()).code, 4777)
})

behaviour('1000 and 1001 are no errors', async (running) => {
  for (const code of [1000, 1001]) {
    const { client, socket } = await running.rawPair()
    const end = once(socket, 'end')
    client.sendClose(code)
    await end
  }
  assert.equal(running.warnings.length, 0)
})

behaviour('a close frame without a code is 1005', async (running) => {
  const { client, socket } = await running.rawPair()
  const event = once(socket, 'disconnect')
  client.sendClose()
  assert.equal((await event).code, 1005)
  await client.untilEnded()
})

behaviour('the end of TCP without a close frame is 1006', async (running) => {
  const { client, socket } = await running.rawPair()
  const event = once(socket, 'disconnect')
  client.destroy()
  assert.deepEqual(await event, { code: 1006, reason: 'Socket hung up' })
  await running.untilEmpty()
})

behaviour('a client which leaves before the handshake is a connectionAbort', async (running) => {
  const aborts = record(running.server, 'connectionAbort')
  const disconnections = record(running.server, 'disconnection')
  const client = await running.open()
  client.sendClose(1000)
  await aborts.count(1)
  assert.equal(aborts[0].code, 1000)
  assert.equal(aborts[0].socket.state, 'closed')
  assert.equal(disconnections.length, 0)
  await running.untilEmpty()
})

behaviour('the events of an end come in order on server and socket', async (running) => {
  const { client, socket } = await running.rawPair()
  const order = []
  const note = (emitter, names, prefix) => {
    for (const name of names) {
      ;(async () => {
        for await (const _ of emitter.listener(name)) order.push(prefix + name)
      })()
    }
  }
  note(socket, ['disconnect', 'close', 'error', 'end'], '')
  const end = once(socket, 'end')
  client.sendClose(4001)
  await end
  assert.deepEqual(order.slice(0, 3), ['disconnect', 'close', 'error'])
})

behaviour(
  'disconnect of a code which is no number reports and closes nothing twice',
  async (running) => {
    const { client, socket } = await running.rawPair()
    const errors = record(socket, 'error')
    await socket.disconnect('4001').catch(() => {})
    await errors.count(1)
    assert.equal(errors[0].error.name, 'InvalidArgumentsError')
    client.destroy()
    await running.untilEmpty()
  },
)

behaviour('a protocol ping is answered with its payload', async (running) => {
  const client = await running.raw()
  client.frame(OPCODE.PING, 'payload')
  await client.until(() => client.pongs.length === 1)
  assert.equal(client.pongs[0], 'payload')
})

behaviour('clients which leave in different ways leave the counts at zero', async (running) => {
  const clients = await Promise.all(Array.from({ length: 40 }, () => running.raw()))
  await eventually(() => running.server.clientsCount === 40, '40 clients')
  assert.equal(Object.keys(running.server.clients).length, 40)
  clients.forEach((client, n) => (n % 2 ? client.destroy() : client.sendClose(1000)))
  await running.untilEmpty()
})

behaviour('the end comes with disconnect(), before the connection has gone', async (running) => {
  const { client, socket } = await running.rawPair()
  await client.subscribe('a')
  const ends = record(socket, 'end')
  const left = record(socket, 'unsubscribe')
  socket.disconnect()
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(ends.length, 1)
  assert.deepEqual([...left], [{ channel: 'a' }])
  assert.deepEqual(socket.subscriptions(), [])
  await client.untilClosed()
  assert.equal(ends.length, 1)
})
