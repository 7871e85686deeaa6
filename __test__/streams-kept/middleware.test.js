'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { eventually, kept, record, startKept } = require('./support')

/** A server whose inbound middleware keeps the actions, and asks `decide` about each. */
async function inbound(decide = (action) => action.allow()) {
  const running = await startKept()
  const actions = []
  running.server.setMiddleware('inbound', async (stream) => {
    for await (const action of stream) {
      actions.push(action)
      decide(action)
    }
  })
  return { running, actions, exchange: running.server.exchange }
}

const only = (action, names) => names.map((name) => [Object.hasOwn(action, name), action[name]])

describe('inbound middleware', () => {
  test('sees where a subscription wants to go on', async () => {
    const { running, actions, exchange } = await inbound()
    const channel = kept()
    const since = await exchange.invokePublish(channel, 'a')
    await exchange.invokePublish(channel, 'b')
    const raw = await running.raw()
    await raw.invoke('#subscribe', { channel: 'plain' })
    const { data } = await raw.invoke('#subscribe', { channel, since })
    assert.deepEqual(data, { epoch: since.epoch, offset: 2, recovered: true })
    await raw.until(() => raw.published(channel).length === 1)
    assert.deepEqual(only(actions[0], ['since']), [[false, undefined]])
    assert.equal(actions[1].type, 'subscribe')
    assert.deepEqual(actions[1].since, since)
    await running.stop()
  })

  test('sees key, delay and at, and may still replace the data', async () => {
    const { running, actions, exchange } = await inbound((action) => action.allow({ data: 'new' }))
    const channel = kept()
    const raw = await running.raw()
    const publish = async (options) => {
      const { data, error } = await raw.invoke('#publish', { channel, data: 'old', ...options })
      return data || error
    }
    const first = await publish({ key: 'k' })
    assert.equal(first.offset, 1)
    assert.deepEqual(await publish({ key: 'k' }), { ...first, duplicate: true })
    assert.equal((await publish({ delay: 1, at: 1 })).code, 'ERR_BAD_SCHEDULE')
    const { messages } = await exchange.history(channel)
    assert.deepEqual(
      messages.map(({ data }) => data),
      ['new'],
    )
    const names = ['key', 'delay', 'at']
    assert.deepEqual(only(actions[0], names), [
      [true, 'k'],
      [false, undefined],
      [false, undefined],
    ])
    assert.deepEqual([actions[2].delay, actions[2].at], [1, 1])
    await running.stop()
  })

  test('decides about questions for history and presence', async () => {
    let refuse = false
    const { running, actions, exchange } = await inbound((action) => {
      if (refuse) action.block(new Error(`no ${action.type}`))
      else action.allow()
    })
    const channel = kept('seen')
    const { epoch } = await exchange.invokePublish(channel, 'a')
    const raw = await running.raw()
    await raw.subscribe(channel)
    const since = { epoch, offset: 0 }
    const asked = { channel, limit: 5, since }
    const history = await raw.invoke('#history', asked)
    assert.equal(history.data.messages[0].data, 'a')
    const presence = await raw.invoke('#presence', { channel })
    assert.equal(presence.data.count, 1)
    const [, first, second] = actions
    assert.equal(first.type, first.HISTORY)
    assert.equal(first.channel, channel)
    assert.equal(first.socket.id, raw.id)
    assert.deepEqual(only(first, ['limit', 'since', 'reverse']), [
      [true, 5],
      [true, since],
      [false, undefined],
    ])
    assert.equal(second.type, second.PRESENCE)
    assert.equal(second.channel, channel)
    refuse = true
    const refused = [
      (await raw.invoke('#history', { channel })).error.message,
      (await raw.invoke('#presence', { channel })).error.message,
    ]
    assert.deepEqual(refused, ['no history', 'no presence'])
    await running.stop()
  })
})

test('actions are as they always were where there are no streams', async () => {
  const running = await startKept({ streams: undefined })
  const actions = []
  running.server.setMiddleware('inbound', async (stream) => {
    for await (const action of stream) {
      actions.push(action)
      action.allow()
    }
  })
  const raw = await running.raw()
  await raw.invoke('#subscribe', { channel: 'a', since: { epoch: 'e', offset: 1 } })
  await raw.invoke('#publish', { channel: 'a', data: 1, key: 'k', delay: 1 })
  for (const action of actions) {
    assert.deepEqual(
      only(action, ['since', 'key', 'delay']).map(([has]) => has),
      [false, false, false],
    )
  }
  const calls = record(running.server, 'connection')
  assert.equal(calls.length, 0)
  await running.stop()
})

describe('outbound middleware', () => {
  /** A server whose outbound middleware asks `decide` about each publish to a client. */
  async function outbound(decide) {
    const running = await startKept()
    running.server.setMiddleware('outbound', async (stream) => {
      for await (const action of stream) decide(action)
    })
    return running
  }

  test('sees each message, and the client its position', async () => {
    const running = await outbound((action) => {
      if (action.data === 'a') action.allow({ data: 'changed' })
      else action.allow({ options: { useCache: true } })
    })
    const channel = kept()
    const raw = await running.raw()
    await raw.subscribe(channel)
    const first = await running.server.exchange.invokePublish(channel, 'a')
    const answer = await raw.invoke('#publish', { channel, data: 'b' })
    await raw.until(() => raw.published(channel).length === 2)
    const { epoch } = first
    assert.deepEqual(
      raw.events('#publish').map(({ data }) => data),
      [
        { channel, data: 'changed', epoch, offset: 1 },
        { channel, data: 'b', epoch, offset: 2 },
      ],
    )
    assert.deepEqual(answer.data, { epoch, offset: 2 })
    await running.stop()
  })

  test('sees what is replayed, too', async () => {
    const running = await outbound((action) => {
      if (action.data === 'secret') action.block()
      else action.allow()
    })
    const channel = kept()
    const { exchange } = running.server
    const since = await exchange.invokePublish(channel, 'a')
    await exchange.invokePublish(channel, 'secret')
    await exchange.invokePublish(channel, 'c')
    const raw = await running.raw()
    const { data } = await raw.invoke('#subscribe', { channel, since })
    assert.deepEqual(data, { ...since, offset: 3, recovered: true })
    await raw.until(() => raw.published(channel).length === 1)
    assert.deepEqual(raw.published(channel), ['c'])
    await running.stop()
  })
})

describe('outbound middleware and the history', () => {
  /** A channel with the data 1 to `count`, where each socket may see what `decide` lets it. */
  async function outbound(decide, count, options) {
    const running = await startKept(options)
    const { server } = running
    const actions = []
    server.setMiddleware('outbound', async (stream) => {
      for await (const action of stream) {
        actions.push(action)
        decide(action)
      }
    })
    const channel = kept()
    let position
    for (let n = 1; n <= count; n++) position = await server.exchange.invokePublish(channel, n)
    return { running, actions, channel, server, position }
  }

  const odd = (action) => (action.data % 2 === 0 ? action.block() : action.allow())
  const dataOf = ({ data: { messages } }) => messages.map(({ data }) => data)

  test('a client reads what it may, as the app would send it', async () => {
    const forbidden = new Set()
    const { running, actions, channel, server, position } = await outbound((action) => {
      if (forbidden.has(action.socket.id)) action.block()
      else if (action.data === 2) action.allow({ data: { changed: true } })
      else if (action.data === 3) action.block(new Error('not for you'))
      else action.allow()
    }, 5)
    const warnings = record(server, 'warning')
    const [ann, bob] = [await running.raw(), await running.raw()]
    for (const raw of [ann, bob]) await raw.subscribe(channel)
    forbidden.add(bob.id)
    const { data } = await ann.invoke('#history', { channel })
    const { messages, ...place } = data
    assert.deepEqual(place, { ...position, more: false, until: 5 })
    assert.deepEqual(
      messages.map((message) => [message.offset, message.data]),
      [
        [1, 1],
        [2, { changed: true }],
        [4, 4],
        [5, 5],
      ],
    )
    assert.ok(messages.every(({ timestamp }) => timestamp > 0))
    const [{ type, socket, channel: named }] = actions
    assert.deepEqual([type, socket.id, named], ['publishOut', ann.id, channel])
    assert.deepEqual((await bob.invoke('#history', { channel, limit: 2 })).data, {
      ...position,
      more: true,
      until: 2,
      messages: [],
    })
    await warnings.until((list) => list.some(({ warning }) => warning.message === 'not for you'))
    await running.stop()
  })

  test('says how far an answer reaches, in both directions', async () => {
    const { running, channel, position } = await outbound(odd, 6)
    const { epoch } = position
    const raw = await running.raw()
    await raw.subscribe(channel)
    const since = { epoch, offset: 1 }
    const page = await raw.invoke('#history', { channel, since, limit: 3 })
    assert.deepEqual(dataOf(page), [3])
    assert.deepEqual([page.data.more, page.data.until], [true, 4])
    const back = await raw.invoke('#history', { channel, limit: 3, reverse: true })
    assert.deepEqual(dataOf(back), [5])
    assert.deepEqual([back.data.more, back.data.until], [true, 4])
    const end = await raw.invoke('#history', { channel, since: position })
    assert.deepEqual(end.data, { ...position, messages: [], more: false })
    await running.stop()
  })

  test('comes after the checks, and after inbound middleware', async () => {
    const { running, actions, channel, server } = await outbound(odd, 3)
    let refuse = false
    server.setMiddleware('inbound', async (stream) => {
      for await (const action of stream) {
        if (refuse) action.block(new Error('no'))
        else action.allow()
      }
    })
    const raw = await running.raw()
    const code = async (request) => (await raw.invoke('#history', request)).error.code
    assert.equal(await code({ channel }), 'ERR_NOT_SUBSCRIBED')
    await raw.subscribe(channel)
    const since = { epoch: 'other', offset: 1 }
    assert.equal(await code({ channel, since }), 'ERR_POSITION_LOST')
    assert.equal(await code({ channel, limit: 0 }), 'ERR_BAD_REQUEST')
    refuse = true
    assert.equal((await raw.invoke('#history', { channel })).error.message, 'no')
    assert.equal(actions.length, 0)
    refuse = false
    assert.deepEqual(dataOf(await raw.invoke('#history', { channel })), [1, 3])
    await running.stop()
  })

  test('a client that is taken off the channel meanwhile learns nothing', async () => {
    const waiting = []
    const { running, channel, server } = await outbound((action) => waiting.push(action), 1)
    const raw = await running.raw()
    await raw.subscribe(channel)
    const answer = raw.invoke('#history', { channel })
    await eventually(() => waiting.length === 1)
    await server.clients[raw.id].kickOut(channel)
    waiting[0].allow()
    assert.equal((await answer).error.code, 'ERR_NOT_SUBSCRIBED')
    await running.stop()
  })

  test('what cannot be encoded is left out', async () => {
    const { running, channel, server } = await outbound((action) => {
      action.allow(action.data === 1 ? { data: 1n } : undefined)
    }, 2)
    const raw = await running.raw()
    await raw.subscribe(channel)
    const errors = record(server.clients[raw.id], 'error')
    assert.deepEqual(dataOf(await raw.invoke('#history', { channel })), [2])
    await errors.count(1)
    await running.stop()
  })

  test('a codec of the app encodes it, with middleware and without', async () => {
    const codecEngine = {
      encode: (packet) => JSON.stringify(packet),
      decode: (text) => (text === '' || text === undefined ? text : JSON.parse(text)),
    }
    const { running, channel, server } = await outbound(odd, 3, { codecEngine })
    const raw = await running.raw()
    await raw.subscribe(channel)
    assert.deepEqual(dataOf(await raw.invoke('#history', { channel })), [1, 3])
    server.removeMiddleware('outbound')
    assert.deepEqual(dataOf(await raw.invoke('#history', { channel })), [1, 2, 3])
    const room = kept('seen')
    assert.equal((await raw.invoke('#subscribe', { channel: room, data: 'ann' })).data.members, 1)
    const { data } = await raw.invoke('#presence', { channel: room })
    assert.deepEqual(data.members, [{ id: raw.id, info: 'ann' }])
    await running.stop()
  })
})

describe('a replaced invokePublish of the exchange', () => {
  test('is called for clients, whose answer has the position it gives', async () => {
    const running = await startKept()
    const { exchange } = running.server
    const original = exchange.invokePublish
    const calls = []
    exchange.invokePublish = function (...args) {
      calls.push(args)
      return original.apply(this, args)
    }
    const channel = kept()
    const raw = await running.raw()
    const { data } = await raw.invoke('#publish', { channel, data: 'a' })
    assert.equal(data.offset, 1)
    assert.deepEqual(calls, [[channel, 'a']])
    const plain = await raw.invoke('#publish', { channel: 'plain', data: 'a' })
    assert.deepEqual(plain, { rid: plain.rid })
    const refused = await raw.invoke('#publish', { channel, data: 'b', key: 'k' })
    assert.deepEqual([refused.error.name, refused.error.code], ['StreamError', 'ERR_BAD_REQUEST'])
    assert.equal(calls.length, 2)
    await running.stop()
  })
})
