'use strict'

const assert = require('node:assert/strict')
const { behaviour } = require('../support')

function decide(running, decision) {
  running.server.setMiddleware('outbound', async (stream) => {
    for await (const action of stream) decision(action)
  })
}

behaviour('a publication is one action for each subscriber', async (running) => {
  const seen = []
  decide(running, (action) => {
    seen.push(action)
    action.allow()
  })
  const one = await running.rawPair()
  const two = await running.rawPair()
  await one.client.subscribe('a')
  await two.client.subscribe('a')
  await one.client.publish('a', { n: 1 })
  for (const { client } of [one, two]) {
    await client.until(() => client.published('a').length === 1)
  }
  assert.deepEqual(
    seen.map(({ type }) => type),
    ['publishOut', 'publishOut'],
  )
  assert.deepEqual(
    seen.map(({ channel }) => channel),
    ['a', 'a'],
  )
  assert.deepEqual(seen[0].data, { n: 1 })
  for (const { socket } of [one, two]) assert.ok(seen.some((action) => action.socket === socket))
})

behaviour('a blocked publication misses that subscriber only', async (running) => {
  const blocked = new Set()
  decide(running, (action) => {
    if (blocked.has(action.socket)) action.block(new Error('not for you'))
    else action.allow()
  })
  const one = await running.rawPair()
  const two = await running.rawPair()
  blocked.add(one.socket)
  await one.client.subscribe('a')
  await two.client.subscribe('a')
  await two.client.publish('a', 1)
  await two.client.until(() => two.client.published('a').length === 1)
  await one.client.subscribe('barrier')
  assert.deepEqual(one.client.published('a'), [])
  assert.equal(running.warnings[0].warning.message, 'not for you')
})

behaviour('allow can replace the data for one subscriber', async (running) => {
  decide(running, (action) => action.allow({ data: `${action.data} for ${action.socket.mark}` }))
  const one = await running.rawPair()
  const two = await running.rawPair()
  one.socket.mark = 'one'
  two.socket.mark = 'two'
  await one.client.subscribe('a')
  await two.client.subscribe('a')
  await running.server.exchange.invokePublish('a', 'news')
  for (const { client, socket } of [one, two]) {
    await client.until(() => client.published('a').length === 1)
    assert.match(client.published('a')[0], new RegExp(`for ${socket.mark}`))
  }
})

behaviour('useCache sends the frame which was encoded for all', async (running) => {
  decide(running, (action) => {
    if (action.channel === 'cached') action.allow({ data: 'unused', options: { useCache: true } })
    else action.allow({ data: 'changed' })
  })
  const client = await running.raw()
  await client.subscribe('cached')
  await client.subscribe('built')
  await client.publish('cached', 'original')
  await client.publish('built', 'original')
  await client.until(() => client.events('#publish').length === 2)
  assert.deepEqual(client.published('cached'), ['original'])
  assert.deepEqual(client.published('built'), ['changed'])
})

behaviour('other packets of the server pass no outbound action', async (running) => {
  const types = []
  decide(running, (action) => {
    types.push(action.type)
    action.allow()
  })
  const { client, socket } = await running.rawPair()
  socket.transmit('hello', 1)
  await client.until(() => client.events('hello').length === 1)
  await client.subscribe('a')
  await socket.kickOut('a')
  assert.deepEqual(types, [])
})

behaviour(
  'with an outbound middleware the answer comes before the publication',
  async (running) => {
    decide(running, (action) => action.allow())
    const client = await running.raw()
    await client.subscribe('a')
    const before = client.packets.length
    await client.publish('a', 1)
    await client.until(() => client.published('a').length === 1)
    assert.deepEqual(
      client.packets.slice(before).map(({ rid }) => rid),
      [3, undefined],
    )
  },
)

behaviour('the receiver of #publish gets what was published', async (running) => {
  running.server.setMiddleware('outbound', async (stream) => {
    for await (const action of stream) action.allow()
  })
  const { client, socket } = await running.rawPair()
  const received = socket.receiver('#publish').once(5000)
  client.transmit('#publish', { channel: 'a', data: { n: 1 } })
  assert.deepEqual(await received, { n: 1 })
})
