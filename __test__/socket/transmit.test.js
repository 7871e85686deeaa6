'use strict'

const assert = require('node:assert/strict')
const { behaviour, once, record } = require('../support')

behaviour('a transmit reaches the receiver of its name', async (running) => {
  const { client, socket } = await running.pair()
  const received = socket.receiver('greet').once(5000)
  client.transmit('greet', { hello: 'wörld 🎉' })
  assert.deepEqual(await received, { hello: 'wörld 🎉' })
})

behaviour('transmits of one socket arrive in order', async (running) => {
  const { client, socket } = await running.rawPair()
  const got = []
  const done = (async () => {
    for await (const n of socket.receiver('n')) if (got.push(n) === 1000) return
  })()
  for (let n = 0; n < 1000; n++) client.transmit('n', n)
  await done
  assert.deepEqual(
    got,
    Array.from({ length: 1000 }, (_, n) => n),
  )
})

behaviour('a transmit of the server reaches the client', async (running) => {
  const { client, socket } = await running.rawPair()
  socket.transmit('news', { a: undefined, b: null, c: [1.5] })
  socket.transmit('empty')
  await client.until(() => client.events('empty').length === 1)
  assert.deepEqual(client.texts.slice(1), [
    '{"event":"news","data":{"b":null,"c":[1.5]}}',
    '{"event":"empty"}',
  ])
})

behaviour('binary data of the server travels as base64', async (running) => {
  const { client, socket } = await running.rawPair()
  socket.transmit('bytes', { b: Buffer.from([0, 255]), a: new Uint8Array([1, 2]).buffer })
  await client.until(() => client.events('bytes').length === 1)
  assert.deepEqual(client.events('bytes')[0].data, {
    b: { base64: true, data: 'AP8=' },
    a: { base64: true, data: 'AQI=' },
  })
})

behaviour('every frame is a message event, an unreadable one also a raw event', async (running) => {
  const { client, socket } = await running.rawPair()
  const messages = record(socket, 'message')
  const raws = record(socket, 'raw')
  client.send('not json')
  client.send('{"event":"x"}')
  client.send('')
  client.send('42')
  client.sendBinary(Buffer.from('{"event":"y"}'))
  await messages.count(5)
  await raws.count(2)
  const [a, b, c, d, e] = messages.map(({ message }) => message)
  assert.deepEqual([a, b, c, d], ['not json', '{"event":"x"}', '', '42'])
  assert.ok(Buffer.isBuffer(e))
  assert.equal(e.toString(), '{"event":"y"}')
  assert.deepEqual(
    raws.map(({ message }) => message),
    ['not json', '42'],
  )
})

behaviour('a binary frame with JSON is read like a text frame', async (running) => {
  const { client, socket } = await running.rawPair()
  const received = socket.receiver('from-binary').once(5000)
  client.sendBinary(Buffer.from('{"event":"from-binary","data":[1]}'))
  assert.deepEqual(await received, [1])
})

behaviour('send writes its argument as it is', async (running) => {
  const { client, socket } = await running.rawPair()
  socket.send('plain text')
  await client.until(() => client.texts.includes('plain text'))
  socket.send(Buffer.from([1, 2, 3]))
  await client.until(() => client.binaries.length === 1)
  assert.deepEqual(client.binaries[0], Buffer.from([1, 2, 3]))
})

behaviour('sendObject and serializeObject use the codec', async (running) => {
  const { client, socket } = await running.rawPair()
  assert.equal(socket.serializeObject({ a: 1 }), '{"a":1}')
  assert.deepEqual(socket.decode('{"a":1}'), { a: 1 })
  socket.sendObject({ event: 'own', data: 1 })
  await client.until(() => client.events('own').length === 1)
})

behaviour('data which cannot be encoded is an error, not a crash', async (running) => {
  const { client, socket } = await running.rawPair()
  const error = once(socket, 'error')
  const cyclic = {}
  cyclic.self = cyclic
  socket.transmit('cyclic', cyclic)
  assert.match((await error).error.message, /circular/i)
  await client.subscribe('still-open')
})

behaviour(
  'cloneData keeps what was given at the time of the call',
  { cloneData: true },
  async (running) => {
    const { client, socket } = await running.rawPair()
    const data = { n: 1 }
    socket.transmit('clone', data)
    data.n = 2
    await client.until(() => client.events('clone').length === 1)
    assert.deepEqual(client.events('clone')[0].data, { n: 1 })
  },
)

behaviour('each consumer of a receiver gets every transmit', async (running) => {
  const { client, socket } = await running.rawPair()
  const one = socket.receiver('both').once(5000)
  const two = socket.receiver('both').once(5000)
  client.transmit('both', 'x')
  assert.deepEqual(await Promise.all([one, two]), ['x', 'x'])
})

behaviour('a closed receiver ends its loops', async (running) => {
  const { client, socket } = await running.rawPair()
  const got = []
  const loop = (async () => {
    for await (const data of socket.receiver('r')) got.push(data)
    return 'ended'
  })()
  assert.equal(socket.hasReceiverConsumer('r', 1), true)
  client.transmit('r', 1)
  await client.subscribe('barrier')
  socket.closeReceiver('r')
  assert.equal(await loop, 'ended')
  assert.deepEqual(got, [1])
  assert.equal(socket.hasReceiverConsumer('r', 1), false)
})

behaviour('useCache with stringifiedData sends the given text', async (running) => {
  const { client, socket } = await running.rawPair()
  const stringifiedData = '{"event":"#publish","data":{"channel":"c","data":"cached"}}'
  socket.transmit('#publish', { channel: 'c', data: 'built' }, { useCache: true, stringifiedData })
  await client.until(() => client.events('#publish').length === 1)
  assert.equal(client.events('#publish')[0].data.data, 'cached')
})

behaviour('payloads of all lengths and kinds arrive as they were sent', async (running) => {
  const { client, socket } = await running.rawPair()
  const kinds = [undefined, null, 0, '', 'ä€😀\ud800"\\\n', [], {}, { a: [1, { b: '}],' }] }]
  const lengths = [10, 4000, 5000, 70000]
  const sent = []
  for (let round = 0; round < 60; round++) {
    sent.push(...kinds, 'x'.repeat(lengths[round % lengths.length]), { round })
  }
  const received = []
  const all = (async () => {
    for await (const data of socket.receiver('any')) {
      if (received.push(data) === sent.length) return
    }
  })()
  client.send(JSON.stringify(sent.map((data) => ({ event: 'any', data }))))
  await all
  assert.deepEqual(received, sent)
})
