'use strict'

const assert = require('node:assert/strict')
const { behaviour, once, quiet } = require('../support')

const isBatch = (packet) => Array.isArray(packet)

behaviour('packets of a batch are handled in order, one answer each', async (running) => {
  running.procedure('echo', (request) => request.end(request.data))
  const client = await running.raw()
  const packets = Array.from({ length: 300 }, (_, n) => ({ event: 'echo', data: n, cid: 100 + n }))
  client.send(packets)
  await client.response(399)
  assert.deepEqual(
    client.packets.slice(1),
    packets.map(({ data, cid }) => ({ rid: cid, data })),
  )
})

behaviour('a batch can subscribe, publish and unsubscribe', async (running) => {
  const client = await running.raw()
  client.send([
    { event: '#subscribe', data: { channel: 'a' }, cid: 10 },
    { event: '#publish', data: { channel: 'a', data: 1 }, cid: 11 },
    { event: '#unsubscribe', data: 'a', cid: 12 },
    { event: '#publish', data: { channel: 'a', data: 2 }, cid: 13 },
  ])
  await client.response(13)
  assert.deepEqual(client.published('a'), [1])
  assert.deepEqual(
    client.packets.slice(1).map(({ rid }) => rid),
    [10, undefined, 11, 12, 13],
  )
})

behaviour('an empty batch is nothing, even before the handshake', async (running) => {
  const client = await running.open()
  client.send('[]')
  assert.equal((await client.handshake()).data.isAuthenticated, false)
  client.send('[]')
  await client.subscribe('still-open')
})

behaviour('a handshake inside a batch counts', async (running) => {
  const client = await running.open()
  client.send([
    { event: '#handshake', data: {}, cid: 1 },
    { event: '#subscribe', data: { channel: 'a' }, cid: 2 },
  ])
  assert.equal((await client.response(2)).error, undefined)
})

behaviour(
  'startBatching collects packets into one frame an interval',
  { batchInterval: 40 },
  async (running) => {
    const { client, socket } = await running.rawPair()
    socket.startBatching()
    for (let n = 0; n < 5; n++) socket.transmit('n', n)
    client.send({ event: '#subscribe', data: { channel: 'a' }, cid: 20 })
    await client.response(20)
    assert.ok(client.packets.slice(1).every(isBatch))
    assert.deepEqual(
      client.events('n').map(({ data }) => data),
      [0, 1, 2, 3, 4],
    )
    assert.equal(client.packets[1].length >= 5, true)
    socket.stopBatching()
    socket.transmit('after', 1)
    await client.until(() => client.events('after').length === 1)
    assert.equal(isBatch(client.packets.at(-1)), false)
  },
)

behaviour('stopBatching sends what is waiting', { batchInterval: 60000 }, async (running) => {
  const { client, socket } = await running.rawPair()
  socket.startBatching()
  await socket.transmit('n', 1)
  await quiet(5)
  assert.equal(client.events('n').length, 0)
  socket.stopBatching()
  await client.until(() => client.events('n').length === 1)
})

behaviour('cancelBatching drops what is waiting', { batchInterval: 60000 }, async (running) => {
  const { client, socket } = await running.rawPair()
  socket.startBatching()
  socket.transmit('dropped', 1)
  await quiet(5)
  socket.cancelBatching()
  socket.transmit('kept', 1)
  await client.until(() => client.events('kept').length === 1)
  assert.equal(client.events('dropped').length, 0)
})

behaviour('startBatch and flushBatch make one frame by hand', async (running) => {
  const { client, socket } = await running.rawPair()
  socket.startBatch()
  assert.equal(socket.isBufferingBatch, true)
  socket.sendObject({ event: 'x', data: 1 })
  socket.sendObject({ event: 'x', data: 2 })
  socket.flushBatch()
  await client.until(() => client.events('x').length === 2)
  assert.deepEqual(client.packets.at(-1), [
    { event: 'x', data: 1 },
    { event: 'x', data: 2 },
  ])
})

behaviour(
  'batchOnHandshake batches the answers right after the handshake',
  { batchOnHandshake: true, batchOnHandshakeDuration: 200, batchInterval: 30 },
  async (running) => {
    const client = await running.open()
    client.send({ event: '#handshake', data: {}, cid: 1 })
    for (let n = 2; n < 12; n++)
      client.send({ event: '#subscribe', data: { channel: `${n}` }, cid: n })
    await client.response(11)
    assert.equal(isBatch(client.packets[0]), false)
    assert.equal(client.packets[0].rid, 1)
    assert.ok(client.packets.slice(1).every(isBatch))
    assert.ok(client.packets.length <= 3, `${client.packets.length} frames`)
  },
)

behaviour(
  'publications to a batching subscriber come in batches, in order',
  { batchInterval: 30 },
  async (running) => {
    const { client, socket } = await running.rawPair()
    const plain = await running.raw()
    await client.subscribe('a')
    await plain.subscribe('a')
    socket.startBatching()
    for (let n = 0; n < 100; n++) running.server.exchange.transmitPublish('a', n)
    for (const each of [client, plain]) await each.until(() => each.published('a').length === 100)
    const expected = Array.from({ length: 100 }, (_, n) => n)
    assert.deepEqual(client.published('a'), expected)
    assert.deepEqual(plain.published('a'), expected)
    assert.equal(client.packets.filter(isBatch).length >= 1, true)
    assert.equal(plain.packets.some(isBatch), false)
  },
)

behaviour('the client library and the server batch in both directions', async (running) => {
  running.procedure('echo', (request) => request.end(request.data))
  const { client, socket } = await running.pair()
  client.startBatching()
  socket.startBatching()
  const answers = await Promise.all([1, 2, 3].map((n) => client.invoke('echo', n)))
  assert.deepEqual(answers, [1, 2, 3])
  const end = once(socket, 'end')
  client.disconnect()
  await end
})
