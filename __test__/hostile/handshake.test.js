'use strict'

const assert = require('node:assert/strict')
const { consume, encodeFrame, oursBehaviour, OPCODE, record } = require('../support')
const { survives } = require('./serving')

const EARLY = {
  'a transmit': '{"event":"evt","data":1}',
  'a request': '{"event":"echo","data":1,"cid":1}',
  'a subscription': '{"event":"#subscribe","data":{"channel":"a"},"cid":1}',
  'a publication': '{"event":"#publish","data":{"channel":"a","data":1}}',
  'a token': '{"event":"#authenticate","data":"x","cid":1}',
  'a pong': '',
  'an answer': '{"rid":1}',
  'no JSON': 'garbage',
  'a number': '5',
  'an empty object': '{}',
  'a nested batch': '[[]]',
}

for (const [name, text] of Object.entries(EARLY)) {
  survives(`${name} before the handshake closes with 4009`, async (running) => {
    const aborts = record(running.server, 'connectionAbort')
    const client = await running.open()
    client.send(text)
    assert.deepEqual(await client.untilClosed(), { code: 4009, reason: '' })
    await aborts.count(1)
    assert.equal(aborts[0].code, 4009)
    assert.equal(running.server.clientsCount, 0)
  })
}

survives('a handshake without a number as cid closes with 4008', async (running) => {
  for (const cid of ['"1"', 'null', 'true', '[]']) {
    const client = await running.open()
    client.send(`{"event":"#handshake","data":{},"cid":${cid}}`)
    assert.equal((await client.untilClosed()).code, 4008, cid)
  }
  const client = await running.open()
  client.send('{"event":"#handshake","data":{}}')
  assert.equal((await client.untilClosed()).code, 4008)
})

survives('a handshake with data of any type is accepted', async (running) => {
  for (const data of ['null', 'true', '0', '1.5', '""', '"x"', '[]', '{"authToken":null}']) {
    const client = await running.open()
    client.send(`{"event":"#handshake","data":${data},"cid":1}`)
    assert.equal((await client.response(1)).data.isAuthenticated, false, data)
  }
})

survives('a handshake in a binary frame is accepted', async (running) => {
  const client = await running.open()
  client.sendBinary(Buffer.from('{"event":"#handshake","data":{},"cid":1}'))
  assert.equal((await client.response(1)).data.isAuthenticated, false)
})

survives('packets right behind the handshake are handled after it', async (running) => {
  const client = await running.open()
  const text = (packet) => encodeFrame(OPCODE.TEXT, JSON.stringify(packet))
  const packets = [{ event: '#handshake', data: {}, cid: 1 }]
  packets.push({ event: '#subscribe', data: { channel: 'a' }, cid: 2 })
  packets.push({ event: '#publish', data: { channel: 'a', data: 1 }, cid: 3 })
  client.write(Buffer.concat(packets.map(text)))
  await client.response(3)
  assert.deepEqual(client.published('a'), [1])
})

oursBehaviour(
  'a second handshake is an InvalidActionError and counts nobody twice',
  async (running) => {
    const connections = record(running.server, 'connection')
    const client = await running.raw()
    for (let n = 0; n < 5; n++) {
      const answer = await client.handshake({})
      assert.equal(answer.error.name, 'InvalidActionError')
      assert.equal(answer.data, undefined)
    }
    await client.subscribe('a')
    assert.equal(running.server.clientsCount, 1)
    assert.equal(Object.keys(running.server.clients).length, 1)
    assert.equal(connections.length, 1)
    client.destroy()
    await running.untilEmpty()
  },
)

survives('wrong types in every field leave the connection open', async (running) => {
  const client = await running.raw()
  const odd = ['null', 'true', '0', '-1', '1.5', '""', '"s"', '[]', '["a"]', '{}']
  for (const value of odd) {
    for (const event of ['#publish', '#unsubscribe', '#removeAuthToken', '#kickOut', 'any']) {
      client.send(`{"event":"${event}","data":${value},"cid":7000}`)
      client.send(`{"event":"${event}","data":${value}}`)
    }
    client.send(`{"event":${value === '"s"' ? '5' : value},"data":1,"cid":7001}`)
    client.send(`{"event":"#publish","data":{"channel":${value},"data":1}}`)
    client.send(`{"rid":${value},"error":${value},"data":${value}}`)
  }
  await client.subscribe('barrier')
  assert.equal(client.closed, null)
})

survives('reserved events of the server do nothing when a client sends them', async (running) => {
  const { client, socket } = await running.rawPair()
  await client.subscribe('a')
  client.transmit('#kickOut', { channel: 'a' })
  client.transmit('#setAuthToken', { token: 'x' })
  client.transmit('#disconnect', { code: 4444 })
  await client.subscribe('barrier')
  assert.equal(socket.isSubscribed('a'), true)
  assert.equal(socket.authState, 'unauthenticated')
  assert.equal(client.closed, null)
})

survives('500 clients which leave in the middle of their handshake', async (running) => {
  const { RawClient } = require('../support')
  const batch = async (n) => {
    const client = new RawClient({ port: running.port })
    await client.connectTcp()
    const request = client.upgradeRequest()
    client.write(n % 3 === 0 ? request.slice(0, 60) : request)
    if (n % 3 === 2) {
      await client.until(() => client.status || client.ended)
      client.write(encodeFrame(OPCODE.TEXT, '{"event":"#handshake","data":{},"cid":1}'))
    }
    client.destroy()
  }
  for (let round = 0; round < 10; round++) {
    await Promise.all(Array.from({ length: 50 }, (_, n) => batch(n)))
  }
  await running.untilEmpty()
})

survives('a client which closes while its publications are on the way', async (running) => {
  const reader = await running.rawPair()
  await reader.client.subscribe('a')
  const got = []
  consume(reader.socket.listener('message'), () => {
    got.push(1)
  })
  const writer = await running.raw()
  for (let n = 0; n < 200; n++) writer.transmit('#publish', { channel: 'a', data: n })
  writer.sendClose(1000)
  await writer.untilEnded()
  await reader.client.until(() => reader.client.published('a').length === 200)
})
