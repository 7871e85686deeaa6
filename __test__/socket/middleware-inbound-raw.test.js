'use strict'

const assert = require('node:assert/strict')
const { behaviour, quiet, record } = require('../support')

function decide(running, decision) {
  running.server.setMiddleware('inboundRaw', async (stream) => {
    for await (const action of stream) decision(action)
  })
}

behaviour('every frame is a message action', async (running) => {
  const seen = []
  decide(running, (action) => {
    seen.push([action.type, action.data])
    action.allow()
  })
  const { client, socket } = await running.rawPair()
  client.send('text')
  client.send('')
  await client.subscribe('barrier')
  assert.deepEqual(seen.slice(1, 3), [
    ['message', 'text'],
    ['message', ''],
  ])
  assert.equal(seen[0][1], '{"event":"#handshake","data":{},"cid":1}')
  assert.equal(socket.state, 'open')
})

behaviour('a binary frame is a Buffer', async (running) => {
  const seen = []
  decide(running, (action) => {
    if (Buffer.isBuffer(action.data)) seen.push(action.data)
    action.allow()
  })
  const client = await running.raw()
  client.sendBinary(Buffer.from('{"event":"x"}'))
  await client.subscribe('barrier')
  assert.deepEqual(seen, [Buffer.from('{"event":"x"}')])
})

behaviour('a blocked frame is gone, and counted as handled', async (running) => {
  decide(running, (action) => {
    if (String(action.data).includes('blocked')) action.block(new Error('not that'))
    else action.allow()
  })
  const { client, socket } = await running.rawPair()
  const messages = record(socket, 'message')
  client.send('{"event":"echo","data":"blocked","cid":90}')
  await client.subscribe('barrier')
  await messages.count(1)
  assert.equal(
    messages.some(({ message }) => message.includes('blocked')),
    false,
  )
  assert.equal(
    client.allPackets().some(({ rid }) => rid === 90),
    false,
  )
  assert.equal(socket.getInboundBackpressure(), 0)
  assert.equal(running.warnings[0].warning.message, 'not that')
})

behaviour('allow can replace the frame', async (running) => {
  decide(running, (action) => {
    if (action.data.includes('before'))
      action.allow({ data: action.data.replace('before', 'after') })
    else action.allow()
  })
  const { client, socket } = await running.rawPair()
  const received = socket.receiver('after').once(5000)
  client.transmit('before', 1)
  assert.equal(await received, 1)
})

behaviour(
  'a blocked handshake leaves the client waiting',
  { handshakeTimeout: 120 },
  async (running) => {
    decide(running, (action) => action.block(new Error('no')))
    const client = await running.open()
    client.send({ event: '#handshake', data: {}, cid: 1 })
    await quiet(30)
    assert.equal(client.packets.length, 0)
    assert.equal((await client.untilClosed()).code, 4005)
  },
)
