'use strict'

const assert = require('node:assert/strict')
const { behaviour, eventually } = require('../support')

behaviour('the inbound counters count what came and what was handled', async (running) => {
  const { client, socket } = await running.rawPair()
  for (let n = 0; n < 10; n++) client.transmit('n', n)
  client.send('')
  client.send('raw')
  await client.subscribe('barrier')
  assert.equal(socket.inboundReceivedMessageCount, 14)
  assert.equal(socket.inboundProcessedMessageCount, 14)
  assert.equal(socket.getInboundBackpressure(), 0)
})

behaviour('a waiting inbound middleware makes inbound backpressure', async (running) => {
  const held = []
  running.server.setMiddleware('inbound', async (stream) => {
    for await (const action of stream) {
      if (action.type === action.TRANSMIT) held.push(action)
      else action.allow()
    }
  })
  const { client, socket } = await running.rawPair()
  for (let n = 0; n < 20; n++) client.transmit('n', n)
  await eventually(() => socket.getInboundBackpressure() === 19, '19 waiting messages')
  await eventually(() => held.length === 1, 'held action')
  assert.equal(socket.getBackpressure(), 19)
  const timer = setInterval(() => held.splice(0).forEach((action) => action.allow()), 1)
  await eventually(() => socket.getInboundBackpressure() === 0, 'no waiting message')
  clearInterval(timer)
})

behaviour('the outbound counter rises in the call which publishes', async (running) => {
  const held = []
  running.server.setMiddleware('outbound', async (stream) => {
    for await (const action of stream) held.push(action)
  })
  const { client, socket } = await running.rawPair()
  await client.subscribe('a')
  assert.equal(socket.getOutboundBackpressure(), 0)
  for (let n = 1; n <= 20; n++) {
    running.server.exchange.transmitPublish('a', n)
    assert.equal(socket.getOutboundBackpressure(), n)
  }
  const timer = setInterval(() => held.splice(0).forEach((action) => action.allow()), 1)
  await client.until(() => client.published('a').length === 20)
  clearInterval(timer)
  await eventually(() => socket.getOutboundBackpressure() === 0, 'no waiting publication')
})

behaviour('a slow receiver makes receiver backpressure', async (running) => {
  const { client, socket } = await running.rawPair()
  const consumer = socket.receiver('n').createConsumer()
  for (let n = 0; n < 7; n++) client.transmit('n', n)
  await client.subscribe('barrier')
  await eventually(() => socket.getReceiverBackpressure('n') === 7, 'receiver backpressure')
  assert.equal(socket.getAllReceiversBackpressure(), 7)
  assert.equal(socket.getBackpressure(), 7)
  const [stats] = socket.getReceiverConsumerStatsList('n')
  assert.deepEqual(stats, { id: 1, backpressure: 7, stream: 'n' })
  for (let n = 0; n < 7; n++) assert.equal((await consumer.next()).value, n)
  assert.equal(socket.getBackpressure(), 0)
  socket.killReceiver('n')
  assert.equal(socket.hasAnyReceiverConsumer(1), false)
})

behaviour('a slow procedure makes procedure backpressure', async (running) => {
  const { client, socket } = await running.rawPair()
  socket.procedure('p').createConsumer()
  for (let n = 0; n < 3; n++) client.send({ event: 'p', cid: 50 + n })
  await client.subscribe('barrier')
  await eventually(() => socket.getProcedureBackpressure('p') === 3, 'procedure backpressure')
  assert.equal(socket.getAllProceduresBackpressure(), 3)
  assert.equal(socket.getProcedureConsumerStats(1).backpressure, 3)
  socket.killAllProcedures()
  assert.equal(socket.getAllProceduresBackpressure(), 0)
})

behaviour('getBytesReceived and the request are there while the socket lives', async (running) => {
  const { socket } = await running.rawPair()
  assert.equal(typeof socket.request.url, 'string')
  assert.equal(socket.getState(), 'open')
  assert.equal(socket.getAuthToken(), null)
})
