'use strict'

const assert = require('node:assert/strict')
const { afterEach, beforeEach, describe, test } = require('node:test')
const { once, record } = require('../support/events')
const { ScriptedServer } = require('./scripted-server')

const NOT_KEPT = { name: 'StreamError', code: 'ERR_NOT_KEPT' }

describe('calls of the client', { timeout: 20000 }, () => {
  let server
  let client

  beforeEach(async () => {
    server = await ScriptedServer.start()
    client = server.client()
  })
  afterEach(() => server.stop())

  test('a publish is answered with its position', async () => {
    assert.deepEqual(await client.invokePublish('news', 1), { epoch: 'first', offset: 1 })
    assert.deepEqual(server.sent('#publish'), [{ channel: 'news', data: 1 }])
  })

  test('a key makes the second publish a duplicate', async () => {
    const channel = client.channel('news')
    const position = await channel.invokePublish('a', { key: 'k' })
    assert.deepEqual(position, { epoch: 'first', offset: 1 })
    const again = await channel.invokePublish('a', { key: 'k' })
    assert.deepEqual(again, { ...position, duplicate: true })
    assert.deepEqual(server.sent('#publish')[0], { channel: 'news', data: 'a', key: 'k' })
  })

  test('delay and at are answered with the id of a timer', async () => {
    assert.deepEqual(await client.invokePublish('plain', 1, { delay: 500 }), {
      id: 'timer-1',
      due: 1500,
    })
    await client.invokePublish('plain', 1, { at: 2000 })
    assert.deepEqual(
      server.sent('#publish').map(({ at, delay }) => ({ at, delay })),
      [
        { at: undefined, delay: 500 },
        { at: 2000, delay: undefined },
      ],
    )
  })

  test('a publish that was not what was asked for is rejected', async () => {
    await assert.rejects(client.invokePublish('plain', 1, { key: 'k' }), NOT_KEPT)
    server.intercept = (packet, connection) => {
      if (packet.event !== '#publish') return false
      connection.answer(packet)
      return true
    }
    await assert.rejects(client.invokePublish('news', 1, { key: 'k' }), NOT_KEPT)
    await assert.rejects(client.invokePublish('news', 1, { delay: 1 }), NOT_KEPT)
    await assert.rejects(client.invokePublish('news', 1, { key: 'k', at: 1 }), NOT_KEPT)
    assert.equal(await client.invokePublish('news', 1, {}), undefined)
    assert.equal(await client.invokePublish('news', 1, null), undefined)
  })

  test('an error of the server is rejected as it is', async () => {
    server.intercept = (packet, connection) => {
      if (packet.event !== '#publish') return false
      connection.refuse(packet, 'ERR_BAD_KEY')
      return true
    }
    await assert.rejects(client.invokePublish('news', 1, { key: '' }), {
      name: 'StreamError',
      code: 'ERR_BAD_KEY',
    })
  })

  test('transmitPublish takes the same options', async () => {
    await client.transmitPublish('news', 1, { key: 'k' })
    await client.channel('news').transmitPublish(2, { delay: 5 })
    await client.invokePublish('news', 3)
    assert.deepEqual(server.sent('#publish'), [
      { channel: 'news', data: 1, key: 'k' },
      { channel: 'news', data: 2, delay: 5 },
      { channel: 'news', data: 3 },
    ])
  })

  test('history gives what the server has', async () => {
    for (const n of [1, 2, 3]) server.publish('news', n)
    const history = await client.channel('news').history({ limit: 2 })
    assert.deepEqual(
      history.messages.map(({ data }) => data),
      [1, 2],
    )
    assert.equal(history.more, true)
    const since = { epoch: 'gone', offset: 1 }
    await assert.rejects(client.history('news', { since }), { code: 'ERR_POSITION_LOST' })
    assert.deepEqual(server.sent('#history'), [
      { channel: 'news', limit: 2 },
      { channel: 'news', since },
    ])
  })

  test('presence lists members and tells who comes and goes', async () => {
    const subscribed = once(client, 'subscribe')
    const channel = client.subscribe('news', { data: { name: 'ann' } })
    await subscribed
    assert.deepEqual(await channel.presence(), {
      members: [{ id: client.id, info: { name: 'ann' } }],
      count: 1,
    })
    const joins = record(channel, 'join')
    const leaves = record(channel, 'leave')
    const tell = (data) => server.toSubscribers('news', '#presence', { channel: 'news', ...data })
    tell({ type: 'join', id: 'x', info: { name: 'bob' } })
    tell({ type: 'other', id: 'x' })
    tell({ type: 'leave', id: 'x' })
    await leaves.count(1)
    assert.deepEqual([...joins], [{ id: 'x', info: { name: 'bob' } }])
    assert.deepEqual([...leaves], [{ id: 'x', info: undefined }])
  })
})
