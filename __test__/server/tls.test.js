'use strict'

const assert = require('node:assert/strict')
const { behaviour, once } = require('../support')

const SECURE = { secure: true }

behaviour('a client over TLS has rpc, channels and tokens', SECURE, async (running) => {
  running.procedure('double', (request) => request.end(request.data * 2))
  const { client, socket } = await running.pair()
  assert.equal(await client.invoke('double', 21), 42)
  const channel = client.subscribe('news')
  await once(channel, 'subscribe')
  const received = channel.once(5000)
  await running.server.exchange.invokePublish('news', 'hello')
  assert.equal(await received, 'hello')
  const authenticated = once(client, 'authenticate')
  await socket.setAuthToken({ user: 'ann' })
  await authenticated
  assert.equal(client.authToken.user, 'ann')
  assert.equal(socket.request.socket.encrypted, true)
})

behaviour('large messages over TLS arrive whole', SECURE, async (running) => {
  running.procedure('echo', (request) => request.end(request.data))
  const client = await running.raw()
  const text = 'é'.repeat(1 << 20)
  assert.equal((await client.invoke('echo', text, 15000)).data, text)
})

behaviour('many publications over TLS arrive in order', SECURE, async (running) => {
  const publisher = await running.raw()
  const subscriber = await running.raw()
  await subscriber.subscribe('order')
  for (let n = 0; n < 2000; n++) publisher.transmit('#publish', { channel: 'order', data: n })
  await subscriber.until(() => subscriber.published('order').length === 2000)
  const expected = Array.from({ length: 2000 }, (_, n) => n)
  assert.deepEqual(subscriber.published('order'), expected)
})

behaviour('the end of a TLS connection is the end of its socket', SECURE, async (running) => {
  const one = await running.rawPair()
  const two = await running.rawPair()
  const ends = [once(one.socket, 'end'), once(two.socket, 'end')]
  one.client.destroy()
  two.socket.disconnect(4321, 'bye')
  assert.deepEqual(await two.client.untilClosed(), { code: 4321, reason: 'bye' })
  await Promise.all(ends)
  await running.untilEmpty()
})

behaviour('closing the server ends its TLS connections', SECURE, async (running) => {
  const client = await running.raw()
  await running.close()
  await client.untilEnded()
  await running.untilEmpty()
})
