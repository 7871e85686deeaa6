'use strict'

// Properties of a socket that an app reads and assigns, and the WebSocket under it.

const assert = require('node:assert/strict')
const {
  behaviour,
  consume,
  encodeFrame,
  eventually,
  once,
  oursBehaviour,
  record,
} = require('../support')

behaviour('an assigned token counts: its expiry is noticed', async (running) => {
  const { client, socket } = await running.rawPair()
  await socket.setAuthToken({ user: 'ann' })
  const deauthenticated = once(socket, 'deauthenticate')
  const expired = { user: 'bob', exp: 1 }
  socket.authToken = expired
  client.transmit('anything')
  assert.equal((await deauthenticated).oldAuthToken, expired)
  assert.equal(socket.authState, 'unauthenticated')
})

behaviour('the interval of batches can be a socket’s own', async (running) => {
  const { client, socket } = await running.rawPair()
  socket.batchInterval = 300
  const start = Date.now()
  socket.startBatching()
  socket.transmit('first')
  await client.until(() => client.events('first').length === 1)
  assert.ok(Date.now() - start > 250)
  socket.transmit('second')
  socket.stopBatching()
  await client.until(() => client.events('second').length === 1)
  assert.ok(Date.now() - start < 550)
})

behaviour('a socket can batch on its handshake though the server does not', async (running) => {
  consume(running.server.listener('handshake'), ({ socket }) => {
    socket.batchOnHandshake = true
    socket.batchOnHandshakeDuration = 200
    socket.batchInterval = 150
  })
  const { client, socket } = await running.rawPair()
  assert.equal(socket.isBufferingBatch, true)
  const start = Date.now()
  socket.transmit('event')
  await client.until(() => client.events('event').length === 1)
  assert.ok(Date.now() - start > 80)
  await eventually(() => !socket.isBufferingBatch)
})

behaviour('a call that was not sent before the end is aborted', async (running) => {
  const { socket } = await running.rawPair()
  const answer = socket.invoke('question')
  socket.disconnect(4400, 'over')
  await assert.rejects(answer, { name: 'BadConnectionError', type: 'connectAbort', code: 1006 })
})

behaviour('channels can be numbers', async (running) => {
  const { client, socket } = await running.rawPair()
  await client.subscribe('1')
  assert.equal(socket.isSubscribed(1), true)
  await socket.kickOut(1)
  assert.deepEqual(socket.subscriptions(), [])
})

behaviour('the subscriptions are an ordinary object', async (running) => {
  const { client, socket } = await running.rawPair()
  await client.subscribe('a')
  assert.deepEqual(socket.channelSubscriptions, { a: true })
  assert.equal(socket.channelSubscriptions.hasOwnProperty('a'), true)
})

behaviour('the counters stay when the connection has gone', async (running) => {
  const { client, socket } = await running.rawPair()
  const ended = once(socket, 'end')
  client.transmit('event')
  client.sendClose(1000)
  await ended
  await running.untilEmpty()
  assert.equal(socket.inboundReceivedMessageCount, 2)
  assert.equal(socket.inboundProcessedMessageCount, 2)
})

behaviour('the socket of the request keeps its addresses', async (running) => {
  const { socket } = await running.rawPair()
  const { connection } = socket.request
  assert.match(connection.remoteAddress, /127\.0\.0\.1$/)
  assert.match(connection.localAddress, /127\.0\.0\.1$/)
  assert.equal(connection.localPort, running.port)
  assert.equal(connection.remotePort, socket.remotePort)
})

oursBehaviour('bytes received are counted, also after the end', async (running) => {
  const { client, socket } = await running.rawPair()
  const before = socket.getBytesReceived()
  assert.ok(before > 0)
  const received = socket.receiver('event').once()
  client.transmit('event', 'x'.repeat(1000))
  await received
  const after = socket.getBytesReceived()
  assert.ok(after > before + 1000 && after < before + 1100, `${before} and then ${after}`)
  assert.equal(socket.socket.bytesReceived, after)
  const closed = once(socket.socket, 'close')
  client.sendClose(1000)
  await closed
  assert.ok(socket.getBytesReceived() >= after + 8)
})

behaviour('send of the raw socket calls back, with an error after the end', async (running) => {
  const { client, socket } = await running.rawPair()
  const send = () => new Promise((resolve) => socket.socket.send('raw', resolve))
  assert.equal((await send()) ?? null, null)
  await client.until(() => client.texts.includes('raw'))
  const warnings = running.warnings.length
  socket.disconnect()
  assert.equal((await send()).message, 'WebSocket is not open: readyState 2 (CLOSING)')
  assert.equal(running.warnings.length, warnings)
})

behaviour('the raw socket tells of errors and of its end', async (running) => {
  const { client, socket } = await running.rawPair()
  const error = once(socket.socket, 'error')
  const closed = once(socket.socket, 'close')
  const errors = record(socket, 'error')
  client.write(encodeFrame(1, 'text', { rsv: 4 }))
  assert.equal((await error).code, 'WS_ERR_UNEXPECTED_RSV_1')
  await closed
  assert.equal(errors[0].error, await error)
})
