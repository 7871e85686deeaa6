'use strict'

const assert = require('node:assert/strict')
const { isOurs, oursBehaviour } = require('../support')
const { survives } = require('./serving')

const DEPTH = 100000
const deep = (depth) => '['.repeat(depth) + ']'.repeat(depth)

/** Sends a text, then proves that the connection answers or has been closed in good order. */
async function sendAndSettle(running, text) {
  const client = await running.raw()
  client.send(text)
  client.send({ event: '#subscribe', data: { channel: 'barrier' }, cid: 900 })
  const settled = () =>
    client.gone() || client.allPackets().some((each) => each && each.rid === 900)
  await client.until(settled, 'answer or close', 20000)
  return client
}

survives('data of 500 levels comes back as it was', async (running) => {
  running.procedure('echo', (request) => request.end(request.data))
  const client = await running.raw()
  client.send(`{"event":"echo","data":${deep(500)},"cid":50}`)
  await client.response(50)
  assert.equal(client.texts.at(-1), `{"rid":50,"data":${deep(500)}}`)
})

survives(`data of ${DEPTH} levels to a receiver`, async (running) => {
  await sendAndSettle(running, `{"event":"x","data":${deep(DEPTH)}}`)
})

survives(`data of ${DEPTH} levels to a procedure`, async (running) => {
  running.procedure('echo', (request) => request.end(request.data))
  await sendAndSettle(running, `{"event":"echo","data":${deep(DEPTH)},"cid":50}`)
})

survives(`objects of ${DEPTH} levels`, async (running) => {
  const data = `${'{"a":'.repeat(DEPTH)}1${'}'.repeat(DEPTH)}`
  await sendAndSettle(running, `{"event":"x","data":${data}}`)
})

survives(`a publication of ${DEPTH} levels`, async (running) => {
  const other = await running.raw()
  await other.subscribe('deep')
  await sendAndSettle(
    running,
    `{"event":"#publish","data":{"channel":"deep","data":${deep(DEPTH)}},"cid":50}`,
  )
})

survives(`a batch nested ${DEPTH} levels`, async (running) => {
  await sendAndSettle(running, deep(DEPTH))
})

survives('a megabyte of opening brackets', async (running) => {
  const client = await sendAndSettle(running, '['.repeat(1 << 20))
  assert.equal(client.closed && client.closed.code, isOurs ? 1008 : null)
})

const unlimited = isOurs ? { maxDepth: 0 } : {}

survives('a megabyte of opening brackets without maxDepth', unlimited, async (running) => {
  const client = await sendAndSettle(running, '['.repeat(1 << 20))
  assert.equal(client.closed, null)
})

survives(`data of ${DEPTH} levels without maxDepth`, unlimited, async (running) => {
  const client = await sendAndSettle(running, `{"event":"x","data":${deep(DEPTH)}}`)
  assert.equal(client.closed, null)
})

survives(
  'a megabyte of opening brackets before the handshake closes with 4009',
  async (running) => {
    const client = await running.open()
    client.send('['.repeat(1 << 20))
    assert.equal((await client.untilClosed(10000)).code, 4009)
  },
)

survives('a batch of 100,000 requests is answered in full', async (running) => {
  running.procedure('echo', (request) => request.end(request.data))
  const client = await running.raw()
  const packet = (n) => `{"event":"echo","data":${n},"cid":${1000 + n}}`
  client.send(`[${Array.from({ length: 100000 }, (_, n) => packet(n)).join(',')}]`)
  await client.until(() => client.packets.length === 100001, 'all answers', 25000)
  assert.equal(client.packets.at(-1).rid, 100999)
})

survives('a batch of 100,000 subscriptions', async (running) => {
  const client = await running.raw()
  const packet = (n) => `{"event":"#subscribe","data":{"channel":"c${n}"},"cid":${1000 + n}}`
  client.send(`[${Array.from({ length: 100000 }, (_, n) => packet(n)).join(',')}]`)
  await client.until(() => client.packets.length === 100001, 'all answers', 25000)
  client.destroy()
  await running.untilEmpty(10000)
})

survives('a batch of 100,000 numbers', async (running) => {
  await sendAndSettle(running, `[${Array(100000).fill(1).join(',')}]`)
})

survives('a message of 5 MB comes back', async (running) => {
  running.procedure('echo', (request) => request.end(request.data))
  const client = await running.raw()
  const text = 'x'.repeat(5 << 20)
  assert.equal((await client.invoke('echo', text, 20000)).data, text)
})

survives('an event name of a megabyte', async (running) => {
  await sendAndSettle(running, { event: 'e'.repeat(1 << 20), data: 1 })
})

survives('a number of 100,000 digits', async (running) => {
  running.procedure('echo', (request) => request.end(request.data))
  const client = await running.raw()
  client.send(`{"event":"echo","data":${'9'.repeat(100000)},"cid":50}`)
  assert.equal((await client.response(50)).data, null)
})

survives('an object of 50,000 keys keeps the order of JavaScript', async (running) => {
  running.procedure('echo', (request) => request.end(request.data))
  const client = await running.raw()
  const list = Array.from({ length: 50000 }, (_, n) => `"k${n}":${n}`)
  client.send(`{"event":"echo","data":{${list.join(',')},"7":1,"3":2},"cid":50}`)
  await client.response(50)
  assert.equal(client.texts.at(-1), `{"rid":50,"data":{"3":2,"7":1,${list.join(',')}}}`)
})

oursBehaviour(
  'a reader which falls behind maxBackpressure is closed, the others go on',
  { maxBackpressure: 1 << 20 },
  async (running) => {
    assert.ok(isOurs)
    const slow = await running.rawPair()
    const quick = await running.raw()
    await slow.client.subscribe('much')
    await quick.subscribe('much')
    slow.client.pause()
    const blob = 'x'.repeat(64 << 10)
    let sent = 0
    while (slow.socket.state === 'open' && sent < 2000) {
      await running.server.exchange.invokePublish('much', sent + blob)
      sent++
      // Only the slow one may fall behind.
      if (sent % 4 === 0) await quick.until(() => quick.published('much').length === sent)
    }
    assert.equal(slow.socket.state, 'closed', `still open after ${sent} publications`)
    await running.warnings.count(1)
    await quick.until(() => quick.published('much').length === sent, 'all publications', 20000)
    await running.assertServes()
    slow.client.destroy()
    quick.destroy()
    await running.untilEmpty()
  },
)
