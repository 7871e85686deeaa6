'use strict'

const assert = require('node:assert/strict')
const jsonwebtoken = require('jsonwebtoken')
const { AUTH_KEY, behaviour, once, record } = require('../support')

function decide(running, decision) {
  running.server.setMiddleware('inbound', async (stream) => {
    for await (const action of stream) decision(action)
  })
}

const denied = (message) => Object.assign(new Error(message), { name: 'DeniedError' })

behaviour('each kind of packet is its own action', async (running) => {
  const seen = []
  decide(running, (action) => {
    const { type, channel, receiver, procedure, data } = action
    seen.push({ type, channel, receiver, procedure, data })
    action.allow()
  })
  const { client, socket } = await running.rawPair()
  running.procedure('unused', () => {})
  const answered = (async () => (await socket.procedure('rpc').once()).end())()
  client.transmit('t', 1)
  await client.invoke('rpc', { a: 1 })
  await client.invoke('#subscribe', { channel: 'c', data: { s: 1 } })
  await client.publish('c', [1])
  await client.invoke('#authenticate', jsonwebtoken.sign({ user: 'ann' }, AUTH_KEY))
  await client.invoke('#unsubscribe', 'c')
  client.transmit('#removeAuthToken')
  await client.subscribe('barrier')
  await answered
  const plain = { channel: undefined, receiver: undefined, procedure: undefined, data: undefined }
  assert.deepEqual(seen.slice(0, 5), [
    { ...plain, type: 'transmit', receiver: 't', data: 1 },
    { ...plain, type: 'invoke', procedure: 'rpc', data: { a: 1 } },
    { ...plain, type: 'subscribe', channel: 'c', data: { s: 1 } },
    { ...plain, type: 'publishIn', channel: 'c', data: [1] },
    { ...plain, type: 'authenticate' },
  ])
  assert.equal(seen.length, 6)
})

behaviour('a blocked request is answered with the error', async (running) => {
  decide(running, (action) => action.block(denied(`no ${action.type}`)))
  const client = await running.raw()
  const error = async (...args) => (await client.invoke(...args)).error
  assert.deepEqual(await error('rpc'), { name: 'DeniedError', message: 'no invoke' })
  assert.equal((await error('#subscribe', { channel: 'a' })).message, 'no subscribe')
  assert.equal((await error('#publish', { channel: 'a' })).message, 'no publishIn')
  assert.deepEqual(
    running.warnings.map(({ warning }) => warning.message),
    ['no invoke', 'no subscribe', 'no publishIn'],
  )
})

behaviour('a block without an error is a SilentMiddlewareBlockedError', async (running) => {
  decide(running, (action) => action.block())
  const client = await running.raw()
  assert.deepEqual((await client.subscribe('a')).error, {
    name: 'SilentMiddlewareBlockedError',
    message: 'The subscribe AGAction was blocked by inbound middleware',
    type: 'inbound',
  })
})

behaviour('a silent error stays on the server', async (running) => {
  decide(running, (action) => action.block(Object.assign(denied('secret'), { silent: true })))
  const client = await running.raw()
  assert.equal((await client.subscribe('a')).error.name, 'SilentMiddlewareBlockedError')
  assert.equal(running.warnings[0].warning.message, 'secret')
})

behaviour('a blocked transmit or publish without cid says nothing', async (running) => {
  decide(running, (action) => {
    if (action.type === 'transmit' || action.type === 'publishIn') action.block(denied('no'))
    else action.allow()
  })
  const client = await running.raw()
  await client.subscribe('a')
  client.transmit('t', 1)
  client.transmit('#publish', { channel: 'a', data: 1 })
  const before = client.texts.length
  await client.subscribe('barrier')
  assert.equal(client.texts.length, before + 1)
  assert.deepEqual(client.published('a'), [])
})

behaviour('allow can replace data on every path', async (running) => {
  decide(running, (action) => {
    if (action.type === 'authenticate') action.allow()
    else action.allow({ data: { was: action.data, type: action.type } })
  })
  const { client, socket } = await running.rawPair()
  const transmitted = socket.receiver('t').once(5000)
  client.transmit('t', 1)
  assert.deepEqual(await transmitted, { was: 1, type: 'transmit' })
  const answered = (async () => {
    const request = await socket.procedure('rpc').once()
    request.end(request.data)
  })()
  assert.deepEqual((await client.invoke('rpc', 2)).data, { was: 2, type: 'invoke' })
  await answered
  const subscription = once(socket, 'subscribe')
  await client.invoke('#subscribe', { channel: 'a', data: 3 })
  assert.deepEqual((await subscription).subscriptionOptions, {
    data: { was: 3, type: 'subscribe' },
  })
  await client.publish('a', 4)
  client.transmit('#publish', { channel: 'a', data: 5 })
  await client.until(() => client.published('a').length === 2)
  assert.deepEqual(client.published('a'), [
    { was: 4, type: 'publishIn' },
    { was: 5, type: 'publishIn' },
  ])
})

behaviour('packets of a batch each pass the middleware', async (running) => {
  decide(running, (action) => {
    if (action.channel === 'no') action.block(denied('no'))
    else action.allow()
  })
  const { client, socket } = await running.rawPair()
  client.send([
    { event: '#subscribe', data: { channel: 'yes' }, cid: 10 },
    { event: '#subscribe', data: { channel: 'no' }, cid: 11 },
  ])
  assert.equal((await client.response(11)).error.message, 'no')
  assert.deepEqual(socket.subscriptions(), ['yes'])
})

behaviour('a waiting action holds back the later packets of its socket only', async (running) => {
  const held = []
  decide(running, (action) => {
    if (action.channel === 'wait') held.push(action)
    else action.allow()
  })
  const client = await running.raw()
  client.send({ event: '#subscribe', data: { channel: 'wait' }, cid: 10 })
  client.send({ event: '#subscribe', data: { channel: 'later' }, cid: 11 })
  await running.assertServes()
  assert.equal(client.packets.length, 1)
  held[0].allow()
  await client.response(11)
  assert.deepEqual(
    client.packets.slice(1).map(({ rid }) => rid),
    [10, 11],
  )
})

behaviour('a blocked AUTHENTICATE of the handshake is its authError', async (running) => {
  decide(running, (action) => {
    if (action.type === action.AUTHENTICATE) action.block(denied(`no ${action.authToken.user}`))
    else action.allow()
  })
  const token = jsonwebtoken.sign({ user: 'ann' }, AUTH_KEY)
  const client = await running.open()
  const { data } = await client.handshake({ authToken: token })
  assert.equal(data.isAuthenticated, false)
  assert.deepEqual(data.authError, { name: 'DeniedError', message: 'no ann' })
  const later = await client.invoke('#authenticate', token)
  assert.equal(later.data.isAuthenticated, false)
  assert.equal(later.data.authError.message, 'no ann')
  assert.equal(client.events('#removeAuthToken').length, 0)
})

behaviour('an error with isBadToken takes the token away', async (running) => {
  const bad = record(running.server, 'badSocketAuthToken')
  decide(running, (action) => action.block(Object.assign(denied('bad'), { isBadToken: true })))
  const client = await running.raw()
  const answer = await client.invoke('#authenticate', jsonwebtoken.sign({ user: 'ann' }, AUTH_KEY))
  assert.equal(answer.error.name, 'DeniedError')
  await client.until(() => client.events('#removeAuthToken').length === 1)
  await bad.count(1)
  assert.equal(bad[0].authError.message, 'bad')
})
