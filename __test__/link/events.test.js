'use strict'

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { Client, hosts, frames, url } = require('../../lib/link')

const { KINDS, TAGS, Reader, Writer } = frames
const limit = { timeout: 60_000 }

const named = (event) => new Writer().str(event).finish()
const emitted = (event, json) => new Writer().u8(1).str(event).value(TAGS.JSON, json).finish()

function setting(t) {
  const machine = hosts.listen('http://127.0.0.1:0')
  const address = url.parse(`http://127.0.0.1:${machine.port}/bus`)
  const clients = []
  t.after(() => {
    for (const client of clients) {
      client.close()
      client.unref()
    }
    machine.release()
  })
  return () => {
    const client = new Client(address, { role: 'events' })
    client.ref()
    clients.push(client)
    return client
  }
}

/** Events that come, and how many of them were lost, until `count` are there. */
function listening(client, count) {
  return new Promise((resolve) => {
    const seen = { events: [], dropped: 0 }
    client.onPush(KINDS.EVENTS, (_id, body) => {
      const reader = new Reader(body)
      for (let left = reader.u32(); left > 0; left--)
        seen.events.push([reader.str(), reader.value()])
      seen.dropped += reader.u32()
      assert.equal(reader.left, 0)
      if (seen.events.length + seen.dropped >= count) resolve(seen)
    })
  })
}

test('who listens gets it, in order, and the others do not', limit, async (t) => {
  const client = setting(t)
  const [a, b, c] = [client(), client(), client()]
  const heard = listening(a, 1000)
  await a.request(KINDS.SUBSCRIBE, named('x'))
  await b.request(KINDS.SUBSCRIBE, named('y'))
  b.onPush(KINDS.EVENTS, () => assert.fail('not for this one'))
  const counts = await Promise.all(
    Array.from({ length: 1000 }, (_, i) => c.request(KINDS.EMIT, emitted('x', `[${i}]`))),
  )
  assert.ok(counts.every((body) => new Reader(body).u32() === 1))
  const { events, dropped } = await heard
  assert.equal(dropped, 0)
  assert.deepEqual(
    events,
    Array.from({ length: 1000 }, (_, i) => ['x', `[${i}]`]),
  )
  await a.request(KINDS.UNSUBSCRIBE, named('x'))
  assert.equal(new Reader(await c.request(KINDS.EMIT, emitted('x', '[]'))).u32(), 0)
  const figures = JSON.parse(new Reader(await c.request(KINDS.STATS)).str())
  assert.deepEqual(figures, { emitted: 1001, delivered: 1000, dropped: 0, waiting: 0 })
})

test('an event without a number has no answer', limit, async (t) => {
  const client = setting(t)
  const a = client()
  const heard = listening(a, 1)
  await a.request(KINDS.SUBSCRIBE, named('x'))
  assert.equal(a.send(KINDS.EMIT, 0, emitted('x', '[1]')), true)
  assert.deepEqual((await heard).events, [['x', '[1]']])
  assert.equal(a.pending, 0)
})

test('a name that is too long is refused', limit, async (t) => {
  const a = setting(t)()
  await assert.rejects(a.request(KINDS.SUBSCRIBE, named('x'.repeat(1025))), {
    code: 'ERR_NC_INVALID_ARG',
  })
})
