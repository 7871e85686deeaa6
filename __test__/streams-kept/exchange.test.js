'use strict'

const assert = require('node:assert/strict')
const { after, before, describe, test } = require('node:test')
const { collected, kept, once, record, startKept, subject, within } = require('./support')

const failsWith = (code) => (error) => {
  assert.ok(error instanceof subject.StreamError)
  assert.equal(error.name, 'StreamError')
  assert.equal(error.code, code)
  return true
}

describe('the exchange with kept channels', () => {
  let running
  let exchange

  before(async () => {
    running = await startKept()
    ;({ exchange } = running.server)
  })
  after(() => running.stop())

  test('publishing gives the position, one after the other', async () => {
    const channel = kept()
    const results = await Promise.all([1, 2, 3].map((n) => exchange.invokePublish(channel, n)))
    const { epoch } = results[0]
    assert.match(epoch, /^\w+$/)
    assert.deepEqual(
      results,
      [1, 2, 3].map((offset) => ({ epoch, offset })),
    )
    assert.equal(await exchange.invokePublish('plain', 1), undefined)
    assert.equal(await exchange.transmitPublish(channel, 4), undefined)
    assert.equal((await exchange.history(channel)).offset, 4)
  })

  test('a key that was seen is a duplicate with the first position', async () => {
    const channel = kept()
    const received = collected(exchange.subscribe(channel))
    const first = await exchange.invokePublish(channel, 'a', { key: 'k' })
    const second = await exchange.invokePublish(channel, 'b', { key: 'k' })
    assert.deepEqual(second, { ...first, duplicate: true })
    await exchange.invokePublish(channel, 'c')
    await received.count(2)
    assert.deepEqual(received.slice(), ['a', 'c'])
  })

  test('a key is refused on a plain channel', async () => {
    await assert.rejects(
      exchange.invokePublish('plain', 1, { key: 'k' }),
      failsWith('ERR_NOT_KEPT'),
    )
  })

  test('history is paged in both directions', async () => {
    const channel = kept()
    for (const data of ['a', { b: [1] }, undefined, null, 'e']) {
      await exchange.invokePublish(channel, data)
    }
    const all = await exchange.history(channel)
    const { epoch } = all
    assert.equal(all.offset, 5)
    assert.equal(all.more, false)
    assert.deepEqual(
      all.messages.map(({ timestamp: _, ...message }) => message),
      [
        { data: 'a', offset: 1 },
        { data: { b: [1] }, offset: 2 },
        { offset: 3 },
        { data: null, offset: 4 },
        { data: 'e', offset: 5 },
      ],
    )
    for (const { timestamp } of all.messages) assert.ok(Math.abs(timestamp - Date.now()) < 60_000)
    const offsets = async (options) => {
      const { messages, more } = await exchange.history(channel, options)
      return [messages.map(({ offset }) => offset), more]
    }
    assert.deepEqual(await offsets({ limit: 2 }), [[1, 2], true])
    assert.deepEqual(await offsets({ since: { epoch, offset: 3 }, limit: 2 }), [[4, 5], false])
    assert.deepEqual(await offsets({ reverse: true, limit: 2 }), [[5, 4], true])
    const since = { epoch, offset: 3 }
    assert.deepEqual(await offsets({ since, reverse: true }), [[2, 1], false])
    assert.deepEqual(await offsets({ since: { epoch, offset: 5 } }), [[], false])
  })

  test('history says why it cannot be had', async () => {
    const channel = kept()
    await exchange.invokePublish(channel, 1)
    const ask = (options, name = channel) => exchange.history(name, options)
    await assert.rejects(ask({}, 'plain'), failsWith('ERR_NOT_KEPT'))
    await assert.rejects(ask({ since: { epoch: 'x', offset: 1 } }), failsWith('ERR_POSITION_LOST'))
    await assert.rejects(ask({ since: { epoch: 1 } }), failsWith('ERR_BAD_POSITION'))
    await assert.rejects(ask({ limit: 0 }), failsWith('ERR_BAD_REQUEST'))
  })

  test('a channel gives the messages, and with their positions to a listener', async () => {
    const name = kept()
    const channel = exchange.subscribe(name)
    assert.equal(channel.state, channel.SUBSCRIBED)
    const values = collected(channel)
    const messages = record(channel, 'message')
    const first = await channel.invokePublish('a')
    const raw = await running.raw()
    await raw.invoke('#publish', { channel: name, data: { b: 1 } })
    await messages.count(2)
    assert.deepEqual(values.slice(), ['a', { b: 1 }])
    const { epoch } = first
    assert.deepEqual(messages.slice(), [
      { data: 'a', epoch, offset: 1 },
      { data: { b: 1 }, epoch, offset: 2 },
    ])
    assert.deepEqual(channel.position, { epoch, offset: 2 })
    const { messages: stored } = await channel.history({ limit: 1 })
    assert.equal(stored[0].data, 'a')
  })

  test('a channel that was subscribed to knows its position before anything comes', async () => {
    const name = kept()
    const place = await exchange.invokePublish(name, 1)
    const channel = exchange.subscribe(name)
    await exchange.history(name)
    assert.deepEqual(channel.position, place)
    assert.equal(exchange.subscribe('plain').position, undefined)
  })

  test('a subscription goes on from a position', async () => {
    const name = kept()
    const since = await exchange.invokePublish(name, 'a')
    await exchange.invokePublish(name, 'b')
    const channel = exchange.subscribe(name, { since })
    assert.equal(channel.state, channel.PENDING)
    const values = collected(channel)
    const recovery = once(channel, 'recover')
    exchange.transmitPublish(name, 'c')
    const { epoch } = since
    assert.deepEqual(await recovery, { epoch, offset: 2, recovered: true })
    await exchange.invokePublish(name, 'd')
    await values.count(3)
    assert.deepEqual(values.slice(), ['b', 'c', 'd'])
    assert.deepEqual(channel.position, { epoch, offset: 4 })
    assert.equal(channel.state, channel.SUBSCRIBED)
  })

  test('the replay is the exchange’s alone', async () => {
    const name = kept()
    const since = await exchange.invokePublish(name, 'a')
    await exchange.invokePublish(name, 'b')
    const packets = []
    const client = {
      id: 'own',
      transmit: (_event, packet, { stringifiedData }) => {
        packets.push([packet, JSON.parse(stringifiedData)])
      },
    }
    await running.server.brokerEngine.subscribeClient(client, name)
    await once(exchange.subscribe(name, { since }), 'recover')
    const place = await exchange.invokePublish(name, 'c')
    await exchange.history(name)
    const packet = { channel: name, data: 'c', ...place }
    assert.deepEqual(packets, [[packet, { event: '#publish', data: packet }]])
  })

  test('a position that is lost is told, and what is published from now on comes', async () => {
    const name = kept()
    const place = await exchange.invokePublish(name, 'a')
    const channel = exchange.subscribe(name, { since: { epoch: 'other', offset: 1 } })
    const values = collected(channel)
    const recovery = await once(channel, 'recover')
    assert.deepEqual(recovery, { ...place, recovered: false })
    await exchange.invokePublish(name, 'b')
    await values.count(1)
    assert.deepEqual(values.slice(), ['b'])
  })

  test('a plain channel recovers nothing', async () => {
    const channel = exchange.subscribe('plain-2', { since: { epoch: 'x', offset: 1 } })
    assert.deepEqual(await once(channel, 'recover'), { recovered: false })
    assert.equal(channel.state, channel.SUBSCRIBED)
    const values = collected(channel)
    channel.transmitPublish(1)
    await values.count(1)
  })

  test('what is no position is refused at once', () => {
    for (const since of [null, 1, {}, { epoch: 1, offset: 1 }, { epoch: 'e', offset: -1 }]) {
      const subscribe = () => exchange.subscribe('kept/never', { since })
      assert.throws(subscribe, failsWith('ERR_BAD_POSITION'))
    }
    assert.equal(exchange.isSubscribed('kept/never', true), false)
  })

  test('presence of clients is seen on the server', async () => {
    const name = kept('seen')
    const channel = exchange.subscribe(name)
    const [joins, leaves] = ['join', 'leave'].map((event) => record(channel, event))
    const raw = await running.raw()
    await raw.invoke('#subscribe', { channel: name, data: { who: 'me' } })
    await joins.count(1)
    const member = { id: raw.id, info: { who: 'me' } }
    assert.deepEqual(joins[0], member)
    assert.deepEqual(await channel.presence(), { members: [member], count: 1 })
    raw.destroy()
    await leaves.count(1)
    assert.equal(leaves[0].id, raw.id)
    assert.deepEqual(await exchange.presence(name), { members: [], count: 0 })
    await assert.rejects(exchange.presence(kept()), failsWith('ERR_NO_PRESENCE'))
  })

  test('names and data of any kind survive', async () => {
    const name = kept(`"\\ \u2028 \ud800 💥`)
    const data = { ['__proto__']: 1, text: '"\\\ud800', deep: [[null, 1e300, '💥']] }
    const channel = exchange.subscribe(name)
    const values = collected(channel)
    await exchange.invokePublish(name, data, { key: '"\\\ud800' })
    await values.count(1)
    const { messages } = await exchange.history(name)
    assert.deepEqual(messages[0].data, JSON.parse(JSON.stringify(data)))
    assert.deepEqual(values[0], messages[0].data)
  })

  test('the broker tells of what is published', async () => {
    const name = kept()
    const published = record(running.server.brokerEngine, 'publish')
    await exchange.invokePublish(name, 1)
    await running.server.brokerEngine.invokePublish(name, 2, true)
    await exchange.invokePublish(name, 3)
    await published.until((list) => list.some(({ data }) => data === 3))
    const own = published.filter(({ channel }) => channel === name)
    assert.deepEqual(
      own.map(({ data }) => data),
      [1, 3],
    )
    running.server.brokerEngine.killAllListeners()
  })
})

test('patterns of odd characters mean the same to the core', async () => {
  const match = 'q"\\\u2028é\n💥*x'
  const running = await startKept({ streams: [{ match, class: 'history' }] })
  const { exchange } = running.server
  for (const [name, isKept] of [
    [match.replace('*', ''), true],
    [match.replace('*', '"\\\ud800💥\n'), true],
    [`${match}y`, false],
    [match.replaceAll('\n', 'n'), false],
  ]) {
    const result = await exchange.invokePublish(name, 1)
    assert.equal(result !== undefined, isKept, name)
    if (isKept) assert.equal((await exchange.history(name)).offset, 1)
  }
  await running.stop()
})

test('a codec of the app has its payloads back', async () => {
  const codecEngine = {
    encode: (packet) =>
      JSON.stringify(packet, (_key, value) =>
        typeof value === 'bigint' ? { big: String(value) } : value,
      ),
    decode: (message) =>
      JSON.parse(String(message), (_key, value) =>
        value && value.big ? BigInt(value.big) : value,
      ),
  }
  const running = await startKept({ codecEngine })
  const { exchange } = running.server
  const name = kept()
  const values = collected(exchange.subscribe(name))
  await exchange.invokePublish(name, { n: 5n })
  await values.count(1)
  assert.deepEqual(values[0], { n: 5n })
  const { messages } = await exchange.history(name)
  assert.deepEqual(messages[0].data, { n: 5n })
  await running.stop()
})

test('a server without streams has none', async () => {
  const running = await startKept({ streams: undefined })
  const { exchange, scheduler } = running.server
  const none = failsWith('ERR_NO_STREAMS')
  await assert.rejects(exchange.history('kept/a'), none)
  await assert.rejects(exchange.presence('kept/a'), none)
  await assert.rejects(exchange.invokePublish('kept/a', 1, { delay: 1 }), none)
  await assert.rejects(scheduler.after(1, { channel: 'kept/a' }), none)
  assert.throws(() => exchange.consume('c', { channel: 'kept/a' }, () => {}), none)
  assert.equal(await exchange.invokePublish('kept/a', 1), undefined)
  const raw = await running.raw()
  const answer = await raw.invoke('#subscribe', { channel: 'kept/a', since: 1 })
  assert.deepEqual(answer, { rid: answer.rid })
  await within(running.stop(), 'end')
})
