'use strict'

const assert = require('node:assert/strict')
const { afterEach, beforeEach, describe, test } = require('node:test')
const { consume, eventually, once, record } = require('../support/events')
const { ScriptedServer, watch } = require('./scripted-server')

const upTo = (n) => Array.from({ length: n }, (_, i) => i + 1)

describe('recovery', { timeout: 20000 }, () => {
  let server

  beforeEach(async () => (server = await ScriptedServer.start()))
  afterEach(() => server.stop())

  /** Subscribes and waits until the server has answered. */
  async function subscribe(client, name, options) {
    const subscribed = once(client, 'subscribe')
    const channel = client.subscribe(name, options)
    await subscribed
    return channel
  }

  /** Cuts all connections and publishes before the client is back. */
  async function missing(client, publish) {
    const closed = once(client, 'close')
    server.drop()
    await closed
    publish()
  }

  test('a channel tells where it stands', async () => {
    server.publish('news', 1)
    const channel = await subscribe(server.client(), 'news')
    assert.deepEqual(channel.position, { epoch: 'first', offset: 1 })
    assert.equal(channel.recovered, undefined)
    const seen = watch(channel)
    server.publish('news', 2)
    server.publish('news', undefined)
    await seen.count(2)
    assert.deepEqual(seen.messages, [
      { data: 2, epoch: 'first', offset: 2 },
      { data: undefined, epoch: 'first', offset: 3 },
    ])
    assert.deepEqual(channel.position, { epoch: 'first', offset: 3 })
    assert.deepEqual(server.sent('#subscribe'), [{ channel: 'news' }])
  })

  test('a client that comes back has missed nothing', async () => {
    const client = server.client()
    const recoveries = record(client, 'recover')
    const channel = await subscribe(client, 'news')
    const seen = watch(channel)
    server.publish('news', 1)
    await seen.count(1)
    await missing(client, () => [2, 3].forEach((n) => server.publish('news', n)))
    await seen.recovered()
    server.publish('news', 4)
    await seen.count(4)
    assert.deepEqual(seen.data, upTo(4))
    assert.deepEqual(server.sent('#subscribe')[1].since, { epoch: 'first', offset: 1 })
    const recovery = { channel: 'news', recovered: true, epoch: 'first', offset: 3 }
    assert.deepEqual(seen.recoveries, [recovery])
    assert.deepEqual([...recoveries], [recovery])
    assert.equal(channel.recovered, true)
  })

  test('the same in the middle of what is replayed', async () => {
    const client = server.client()
    const seen = watch(await subscribe(client, 'news'))
    let left = 3
    server.intercept = ({ event, data, cid }, connection) => {
      if (event !== '#subscribe' || left-- <= 0) return false
      const { epoch, head, log } = server.channel('news')
      connection.send({ rid: cid, data: { epoch, offset: head, recovered: true } })
      for (const message of log.slice(data.since.offset, data.since.offset + 2)) {
        connection.send({ event: '#publish', data: { channel: 'news', epoch, ...message } })
      }
      connection.ws.close(1011)
      return true
    }
    await missing(client, () => upTo(10).forEach((n) => server.publish('news', n)))
    await seen.count(10)
    await seen.recovered()
    assert.deepEqual(seen.data, upTo(10))
    assert.equal(seen.recoveries.length, 1)
    const offsets = server.sent('#subscribe').map(({ since }) => since?.offset)
    assert.deepEqual(offsets, [undefined, 0, 2, 4, 6])
  })

  test('the same before the subscription is answered, and after a silence', async () => {
    const client = server.client()
    const seen = watch(await subscribe(client, 'news'))
    let left = 2
    server.intercept = ({ event }, connection) => {
      if (event !== '#subscribe' || left-- <= 0) return false
      connection.ws.terminate()
      return true
    }
    await missing(client, () => server.publish('news', 1))
    await seen.recovered()
    assert.deepEqual(seen.data, [1])
  })

  test('a client that cannot recover is told, and goes on with what is live', async () => {
    const client = server.client()
    const channel = await subscribe(client, 'news')
    const seen = watch(channel)
    await missing(client, () => {
      upTo(5).forEach((n) => server.publish('news', n))
      server.channel('news').trim(2)
    })
    await seen.recovered()
    assert.equal(channel.recovered, false)
    assert.deepEqual(channel.position, { epoch: 'first', offset: 5 })
    server.publish('news', 6)
    await seen.count(1)
    assert.deepEqual(seen.data, [6])
    assert.deepEqual(seen.recoveries, [
      { channel: 'news', recovered: false, epoch: 'first', offset: 5 },
    ])
  })

  test('a channel that begins anew is a new epoch', async () => {
    const client = server.client()
    const seen = watch(await subscribe(client, 'news'))
    server.publish('news', 'old')
    await seen.count(1)
    await missing(client, () => {
      server.channels.clear()
      server.channel('news').epoch = 'second'
      server.publish('news', 'unseen')
    })
    await seen.recovered()
    server.publish('news', 'new')
    await seen.count(2)
    assert.deepEqual(seen.data, ['old', 'new'])
    assert.deepEqual(seen.messages[1], { data: 'new', epoch: 'second', offset: 2 })
    assert.deepEqual(seen.recoveries, [
      { channel: 'news', recovered: false, epoch: 'second', offset: 1 },
    ])
  })

  test('duplicates are not handed over', async () => {
    const seen = watch(await subscribe(server.client(), 'news'))
    const first = server.publish('news', 1)
    server.publish('news', 2)
    server.deliver('news', first)
    server.publish('news', 3)
    await seen.count(3)
    assert.deepEqual(seen.data, upTo(3))
  })

  test('a gap is filled from the history, in order', async () => {
    const client = server.client()
    const channel = await subscribe(client, 'news')
    const seen = watch(channel)
    server.publish('news', 1)
    server.publish('news', 2, { deliver: false })
    server.publish('news', 3, { deliver: false })
    server.publish('news', 4)
    server.publish('news', 5)
    await seen.count(5)
    assert.deepEqual(seen.data, upTo(5))
    assert.deepEqual(seen.messages[1], { data: 2, epoch: 'first', offset: 2 })
    assert.deepEqual(server.sent('#history'), [
      { channel: 'news', since: { epoch: 'first', offset: 1 }, limit: 2 },
    ])
    assert.deepEqual(seen.recoveries, [
      { channel: 'news', recovered: true, epoch: 'first', offset: 5 },
    ])
  })

  test('a gap that cannot be filled is reported', async () => {
    const seen = watch(await subscribe(server.client(), 'news'))
    server.publish('news', 1, { deliver: false })
    server.publish('news', 2, { deliver: false })
    server.channel('news').trim(0)
    server.publish('news', 3)
    server.publish('news', 4)
    await seen.count(2)
    assert.deepEqual(seen.data, [3, 4])
    assert.deepEqual(seen.recoveries, [
      { channel: 'news', recovered: false, epoch: 'first', offset: 2 },
    ])
  })

  test('what middleware keeps from a client is asked for once', async () => {
    server.passes = (data) => data % 3 !== 0
    const client = server.client()
    const channel = await subscribe(client, 'news')
    const seen = watch(channel)
    upTo(100).forEach((n) => server.publish('news', n))
    const passed = upTo(100).filter((n) => n % 3 !== 0)
    await seen.count(passed.length)
    assert.deepEqual(seen.data, passed)
    assert.ok(server.sent('#history').length <= 2)
    assert.ok(seen.recoveries.every(({ recovered }) => recovered))
    assert.deepEqual(channel.position, { epoch: 'first', offset: 100 })
  })

  test('and what is replayed is complete without it', async () => {
    server.passes = (data) => data % 3 === 1
    const client = server.client()
    const channel = await subscribe(client, 'news')
    const seen = watch(channel)
    await missing(client, () => upTo(30).forEach((n) => server.publish('news', n)))
    await seen.recovered()
    assert.deepEqual(
      seen.data,
      upTo(30).filter((n) => n % 3 === 1),
    )
    assert.deepEqual(seen.recoveries.at(-1), {
      channel: 'news',
      recovered: true,
      epoch: 'first',
      offset: 30,
    })
    assert.ok(server.sent('#history').length <= 3)
  })

  test('a client from which everything is kept has recovered, too', async () => {
    server.passes = () => false
    const client = server.client()
    const channel = await subscribe(client, 'news')
    const seen = watch(channel)
    await missing(client, () => upTo(5).forEach((n) => server.publish('news', n)))
    await seen.recovered()
    assert.deepEqual(channel.position, { epoch: 'first', offset: 5 })
    assert.equal(channel.recovered, true)
    assert.equal(server.sent('#history').length, 1)
  })

  test('a connection that ends while a gap is filled costs nothing', async () => {
    const client = server.client()
    const seen = watch(await subscribe(client, 'news'))
    let cut = false
    server.intercept = ({ event }, connection) => {
      if (event !== '#history' || cut) return false
      cut = true
      connection.ws.terminate()
      return true
    }
    server.publish('news', 1, { deliver: false })
    server.publish('news', 2)
    server.publish('news', 3)
    await seen.count(3)
    assert.deepEqual(seen.data, upTo(3))
    assert.equal(seen.recoveries.at(-1).recovered, true)
  })

  test('a position of the app is where a subscription begins', async () => {
    upTo(5).forEach((n) => server.publish('news', n))
    const since = { epoch: 'first', offset: 3 }
    const client = server.client()
    const channel = client.subscribe('news', { since, waitForAuth: false })
    assert.deepEqual(channel.position, since)
    const seen = watch(channel)
    await seen.count(2)
    await seen.recovered()
    assert.deepEqual(seen.data, [4, 5])
    assert.deepEqual(server.sent('#subscribe'), [{ channel: 'news', since }])
    // A later one does not rewind what is subscribed.
    client.subscribe('news', { since: { epoch: 'first', offset: 0 } })
    assert.deepEqual(channel.position, { epoch: 'first', offset: 5 })
  })

  test('a malformed position is refused, and forgotten', async () => {
    const client = server.client()
    const failed = once(client, 'subscribeFail')
    client.subscribe('news', { since: 'yesterday' })
    assert.equal((await failed).error.code, 'ERR_BAD_POSITION')
    await subscribe(client, 'news')
    assert.deepEqual(server.sent('#subscribe')[1], { channel: 'news' })
  })

  test('unsubscribing forgets the position', async () => {
    const client = server.client()
    const channel = await subscribe(client, 'news')
    server.publish('news', 1)
    await eventually(() => channel.position.offset === 1)
    channel.unsubscribe()
    assert.equal(channel.position, undefined)
    server.publish('news', 2)
    await subscribe(client, 'news')
    assert.deepEqual(server.sent('#subscribe')[1], { channel: 'news' })
    assert.deepEqual(channel.position, { epoch: 'first', offset: 2 })
  })

  test('a client that was kicked out goes on where it was', async () => {
    const client = server.client()
    const channel = await subscribe(client, 'news')
    const kicked = once(client, 'kickOut')
    server.publish('news', 1)
    server.toSubscribers('news', '#kickOut', { channel: 'news', message: 'out' })
    assert.deepEqual(await kicked, { channel: 'news', message: 'out' })
    for (const { subscriptions } of server.connections) subscriptions.clear()
    server.publish('news', 2)
    const seen = watch(channel)
    channel.subscribe()
    await seen.recovered()
    assert.deepEqual(seen.data, [2])
  })

  test('what precedes the answer is not handed over twice', async () => {
    const client = server.client()
    const seen = watch(client.channel('news'))
    server.publish('news', 1)
    server.publish('news', 2)
    server.intercept = ({ event, data }, connection) => {
      if (event !== '#subscribe' || data.channel !== 'news') return false
      // Still from an earlier subscription of the same connection.
      for (const message of server.channel('news').log) {
        connection.send({
          event: '#publish',
          data: { channel: 'news', epoch: 'first', ...message },
        })
      }
      return false
    }
    client.subscribe('news', { since: { epoch: 'first', offset: 0 } })
    await seen.recovered()
    assert.deepEqual(seen.data, [1, 2])
    client.unsubscribe('news')
    await subscribe(client, 'news')
    server.publish('news', 3)
    await seen.count(3)
    assert.deepEqual(seen.data, [1, 2, 3])
  })

  test('many channels recover, each from its own position', async () => {
    const client = server.client()
    const seen = new Map()
    for (const n of upTo(20)) seen.set(n, watch(await subscribe(client, `news/${n}`)))
    for (const n of upTo(20)) upTo(n).forEach((m) => server.publish(`news/${n}`, m))
    for (const n of upTo(20)) await seen.get(n).count(n)
    await missing(client, () => {
      for (const n of upTo(20)) server.publish(`news/${n}`, n + 1)
    })
    for (const n of upTo(20)) await seen.get(n).recovered()
    for (const n of upTo(20)) assert.deepEqual(seen.get(n).data, upTo(n + 1))
  })

  test('a plain channel is what it was', async () => {
    const client = server.client()
    const channel = await subscribe(client, 'plain')
    const seen = watch(channel)
    const other = watch(client.channel('other'))
    server.toSubscribers('plain', '#publish', { channel: 'other', data: 1 })
    server.toSubscribers('plain', '#publish', { channel: 'plain', data: 1 })
    await seen.count(1)
    assert.deepEqual(other.data, [])
    await missing(client, () => {})
    await eventually(() => server.sent('#subscribe').length === 2)
    assert.deepEqual(server.sent('#subscribe')[1], { channel: 'plain' })
    assert.equal(channel.position, undefined)
    assert.deepEqual(seen.messages, [])
  })

  test('a codec that leaves positions away makes a kept channel a plain one', async () => {
    const { decode, encode } = require('sc-formatter')
    const withoutPositions = (message) => {
      const packet = decode(message)
      if (packet?.event !== '#publish') return packet
      const { channel, data } = packet.data
      return { event: packet.event, data: { channel, data } }
    }
    const client = server.client({ codecEngine: { encode, decode: withoutPositions } })
    const seen = watch(await subscribe(client, 'news'))
    upTo(3).forEach((n) => server.publish('news', n))
    await seen.count(3)
    await missing(client, () => server.publish('news', 4))
    await once(client, 'subscribe')
    server.publish('news', 5)
    await seen.count(4)
    assert.deepEqual(seen.data, [1, 2, 3, 5])
    assert.deepEqual(seen.recoveries, [])
  })

  test('a position on a plain channel is reported as lost', async () => {
    const client = server.client()
    const seen = watch(client.channel('plain'))
    client.subscribe('plain', { since: { epoch: 'first', offset: 1 } })
    await seen.recovered()
    assert.deepEqual(seen.recoveries, [{ channel: 'plain', recovered: false }])
    await missing(client, () => {})
    await eventually(() => server.sent('#subscribe').length === 2)
    assert.deepEqual(server.sent('#subscribe')[1], { channel: 'plain' })
  })

  test('names get the prefix everywhere', async () => {
    const client = server.client({ channelPrefix: 'app/' })
    const channel = await subscribe(client, 'news')
    const seen = watch(channel)
    server.publish('app/news', 1, { deliver: false })
    server.publish('app/news', 2)
    await seen.count(2)
    await missing(client, () => server.publish('app/news', 3))
    await seen.count(3)
    await seen.recovered(2)
    assert.equal(seen.recoveries[1].channel, 'news')
    await channel.invokePublish(4, { key: 'k' })
    await channel.presence()
    const named = (event) => server.sent(event).map((data) => data.channel)
    assert.deepEqual(named('#history'), ['app/news'])
    assert.deepEqual(named('#presence'), ['app/news'])
    assert.deepEqual(named('#publish'), ['app/news'])
    assert.deepEqual(named('#subscribe'), ['app/news', 'app/news'])
    const joined = once(channel, 'join')
    server.toSubscribers('app/news', '#presence', { channel: 'app/news', type: 'join', id: 'x' })
    assert.equal((await joined).id, 'x')
  })

  test('a consumer that starts late has its position too', async () => {
    const client = server.client()
    const channel = await subscribe(client, 'news')
    server.publish('news', 1)
    await eventually(() => channel.position.offset === 1)
    const late = []
    consume(client.channel('news'), (data) => void late.push(data))
    server.publish('news', 2)
    await eventually(() => late.length === 1)
    assert.deepEqual(late, [2])
  })
})
