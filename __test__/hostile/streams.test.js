'use strict'

// Packets about streams that no client sends: each has its answer, and costs the server little.

const assert = require('node:assert/strict')
const { isOurs, quiet } = require('../support')
const { survives } = require('./serving')

const MiB = 1 << 20
const options = isOurs
  ? {
      streams: [
        { match: 'h/*', class: 'history', size: 100, bytes: 4 * MiB, presence: true },
        { match: 'p/*', class: 'plain', presence: true },
      ],
      streamMemory: 16 * MiB,
    }
  : { skip: true }

const hostile = (name, body) => {
  if (isOurs) survives(name, options, body)
}

const NUMBERS = [
  '-1',
  '0.5',
  '1e999',
  '-1e999',
  '9007199254740993',
  '1e308',
  '"1"',
  'null',
  '[]',
  '{}',
]
const OTHERS = [
  'null',
  '1',
  'true',
  '""',
  '"x"',
  '[]',
  '[[]]',
  '{}',
  '{"__proto__":1}',
  '"\\ud800"',
]
const NAMES = [
  'h/__proto__',
  'h/constructor',
  'h/\\u0000',
  'h/\\ud800',
  'p/toString',
  'plain',
  'h/',
]

/** Asks with the text of the data, as it is. */
async function ask(client, event, data) {
  const cid = client._cid++
  client.send(`{"event":"${event}","data":${data},"cid":${cid}}`)
  return client.response(cid)
}

/** The code of the answer's error, if it is one. */
const codeOf = ({ error }) => error && error.code

async function codesOf(client, event, texts) {
  const codes = new Set()
  for (const text of texts) codes.add(codeOf(await ask(client, event, text)))
  return codes
}

const only = (codes, ...expected) => assert.deepEqual([...codes].sort(), expected.sort())

const positions = [
  ...OTHERS,
  ...NUMBERS.map((number) => `{"epoch":"a","offset":${number}}`),
  ...OTHERS.map((epoch) => `{"epoch":${epoch},"offset":"0"}`),
  '{"epoch":"a"}',
  '{"offset":0}',
]

hostile('positions that are none', async (running) => {
  const client = await running.raw()
  const asked = positions.map((since) => `{"channel":"h/a","since":${since}}`)
  only(await codesOf(client, '#subscribe', asked), 'ERR_BAD_POSITION')
  await client.subscribe('h/a')
  only(await codesOf(client, '#history', asked), 'ERR_BAD_POSITION')
})

hostile('positions that never were', async (running) => {
  const client = await running.raw()
  const epochs = ['', 'zzzzzzzzzzzzzzzzzzzzzzzz', '-1', '__proto__', 'x'.repeat(100000)]
  const { epoch, offset } = (await client.subscribe('h/a')).data
  const head = { epoch, offset }
  const positions = [
    ...epochs.map((unknown) => ({ epoch: unknown, offset: 0 })),
    { epoch, offset: 1 },
    { epoch, offset: Number.MAX_SAFE_INTEGER },
  ]
  for (const since of positions) {
    const { data } = await client.invoke('#subscribe', { channel: 'h/a', since })
    assert.deepEqual(data, { ...head, recovered: false, members: 1 })
    const refused = await client.invoke('#history', { channel: 'h/a', since })
    assert.equal(codeOf(refused), 'ERR_POSITION_LOST')
  }
  const { data } = await client.invoke('#history', {
    channel: 'h/a',
    reverse: true,
    since: positions.at(-1),
  })
  assert.deepEqual(data, { ...head, messages: [], more: false })
})

hostile('keys and times that are none', async (running) => {
  const client = await running.raw()
  const publish = (channel, name, value) => `{"channel":"${channel}","${name}":${value}}`
  const keys = ['null', '1', '""', '[]', '{}', `"${'k'.repeat(257)}"`, `"${'k'.repeat(MiB)}"`]
  const keyed = keys.map((key) => publish('h/a', 'key', key))
  only(await codesOf(client, '#publish', keyed), 'ERR_BAD_KEY')
  for (const name of ['delay', 'at']) {
    const timed = NUMBERS.filter((text) => text !== '0.5').map((value) =>
      publish('h/a', name, value),
    )
    only(await codesOf(client, '#publish', timed), 'ERR_BAD_SCHEDULE')
  }
  const both = '{"channel":"h/a","delay":1,"at":1}'
  assert.equal(codeOf(await ask(client, '#publish', both)), 'ERR_BAD_SCHEDULE')
  assert.equal(
    codeOf(await ask(client, '#publish', publish('plain', 'key', '"k"'))),
    'ERR_NOT_KEPT',
  )
  const large = { channel: 'h/a', data: 'x'.repeat(5 * MiB) }
  assert.equal(codeOf(await client.invoke('#publish', large)), 'ERR_MESSAGE_TOO_LARGE')
})

hostile('questions that make no sense', async (running) => {
  const client = await running.raw()
  await client.subscribe('h/a')
  await client.subscribe('plain')
  const limits = [...NUMBERS, '0', '1001'].map((limit) => `{"channel":"h/a","limit":${limit}}`)
  only(await codesOf(client, '#history', limits), 'ERR_BAD_REQUEST')
  const notText = ['null', '1', 'true', '[]', '{}']
  const channels = [...notText, ...notText.map((channel) => `{"channel":${channel}}`)]
  // As with SocketCluster's own packets.
  for (const data of channels) {
    for (const event of ['#history', '#presence']) {
      assert.equal((await ask(client, event, data)).error.name, 'InvalidActionError')
    }
  }
  const other = '{"channel":"h/other"}'
  for (const event of ['#history', '#presence']) {
    assert.equal(codeOf(await ask(client, event, other)), 'ERR_NOT_SUBSCRIBED')
  }
  assert.equal(codeOf(await ask(client, '#history', '{"channel":"plain"}')), 'ERR_NOT_KEPT')
  assert.equal(codeOf(await ask(client, '#presence', '{"channel":"plain"}')), 'ERR_NO_PRESENCE')
  // Without a call's id there is no answer, and no harm.
  for (const event of ['#history', '#presence']) client.send(`{"event":"${event}","data":${other}}`)
})

hostile('names that objects have', async (running) => {
  const client = await running.raw()
  for (const name of NAMES) {
    const subscribed = await ask(
      client,
      '#subscribe',
      `{"channel":"${name}","data":{"__proto__":1}}`,
    )
    assert.equal(subscribed.error, undefined)
    const published = await ask(client, '#publish', `{"channel":"${name}","data":1}`)
    assert.equal(published.error, undefined)
  }
  await client.until(() => client.events('#publish').length === NAMES.length, 'all messages')
  const { data } = await ask(client, '#presence', '{"channel":"h/__proto__"}')
  assert.equal(JSON.stringify(data.members[0].info), '{"__proto__":1}')
})

hostile('more about a member than may be said', async (running) => {
  const client = await running.raw()
  const tooMuch = { channel: 'p/a', data: 'x'.repeat(5000) }
  assert.equal(codeOf(await client.invoke('#subscribe', tooMuch)), 'ERR_BAD_REQUEST')
  assert.equal(codeOf(await client.invoke('#presence', { channel: 'p/a' })), 'ERR_NOT_SUBSCRIBED')
})

/** Highest memory of the process while something happens, above what it is now, in MiB. */
async function memoryOf(action) {
  const start = process.memoryUsage.rss()
  let highest = start
  const timer = setInterval(() => (highest = Math.max(highest, process.memoryUsage.rss())), 2)
  await action()
  clearInterval(timer)
  return (highest - start) / MiB
}

/** A client that asks thousands of times for a megabyte in one message, and reads nothing. */
async function floods(running, packet) {
  const other = await running.raw()
  for (let n = 0; n < 40; n++) await other.publish('h/a', 'x'.repeat(100000))
  const client = await running.raw()
  await client.subscribe('h/a')
  client.pause()
  const used = await memoryOf(async () => {
    client.send(Array.from({ length: 4000 }, (_, n) => ({ ...packet, cid: 1000 + n })))
    const [socket] = running.sockets.filter(({ id }) => id === client.id)
    await socket.listener('disconnect').once(10000)
    // The others are served meanwhile.
    assert.equal((await other.publish('h/b', 1)).error, undefined)
  })
  assert.ok(used < 150, `${used} MiB`)
}

hostile('thousands of long answers that nobody reads', async (running) => {
  await floods(running, { event: '#history', data: { channel: 'h/a' } })
})

hostile('going back thousands of times without reading', async (running) => {
  const publisher = await running.raw()
  for (let n = 0; n < 40; n++) await publisher.publish('h/a', 'x'.repeat(100000))
  const client = await running.raw()
  const { data: head } = await client.subscribe('h/a')
  const since = { epoch: head.epoch, offset: 0 }
  client.pause()
  const back = [
    { event: '#subscribe', data: { channel: 'h/a', since }, cid: 1000 },
    { event: '#unsubscribe', data: 'h/a', cid: 1001 },
  ]
  const used = await memoryOf(async () => {
    client.send(Array.from({ length: 2000 }, () => back).flat())
    for (let n = 0; n < 20; n++) assert.equal((await publisher.publish('h/b', n)).error, undefined)
    await quiet(200)
  })
  assert.ok(used < 150, `${used} MiB`)
})

hostile(
  'thousands of kept channels and of timers take only the memory there is for them',
  async (running) => {
    const client = await running.raw()
    const packets = Array.from({ length: 20000 }, (_, n) => {
      const data = { channel: `h/${n}`, data: 'x'.repeat(50), key: `k${n}` }
      return { event: '#publish', data: n % 2 ? data : { ...data, delay: 3600000 } }
    })
    for (let n = 0; n < packets.length; n += 1000) client.send(packets.slice(n, n + 1000))
    const later = { channel: 'h/x', data: 'x'.repeat(500000), delay: 3600000 }
    let code
    for (let n = 0; n < 60 && !code; n++) code = codeOf(await client.invoke('#publish', later))
    assert.equal(code, 'ERR_STREAM_FULL')
    const { memory } = running.server.metrics().streams
    assert.ok(memory <= options.streamMemory, `${memory} bytes`)
  },
)
