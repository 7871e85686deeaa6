'use strict'

const assert = require('node:assert/strict')
const { behaviour, consume, encodeFrame, once, OPCODE } = require('../support')
const { oursBehaviour, oursTest, subject } = require('../support')

behaviour('a message above maxPayload closes with 1009', { maxPayload: 1024 }, async (running) => {
  const { client, socket } = await running.rawPair()
  const error = once(socket, 'error')
  client.send({ event: 'x', data: 'a'.repeat(1100) })
  assert.equal((await client.untilClosed()).code, 1009)
  assert.match((await error).error.message, /Max payload size exceeded/)
  await running.untilEmpty()
  await running.assertServes()
})

behaviour(
  'a message of exactly maxPayload bytes is accepted',
  { maxPayload: 1024 },
  async (running) => {
    const { client, socket } = await running.rawPair()
    const head = '{"event":"x","data":"'
    const received = socket.receiver('x').once(5000)
    client.send(`${head}${'a'.repeat(1024 - head.length - 2)}"}`)
    assert.equal((await received).length, 1024 - head.length - 2)
  },
)

behaviour('the fragments of a message count together', { maxPayload: 1024 }, async (running) => {
  const client = await running.raw()
  client.frame(OPCODE.TEXT, 'a'.repeat(600), { fin: false })
  client.frame(OPCODE.CONTINUATION, 'a'.repeat(600))
  assert.equal((await client.untilClosed()).code, 1009)
})

behaviour(
  'a declared length above maxPayload closes before the bytes come',
  { maxPayload: 1024 },
  async (running) => {
    const client = await running.raw()
    client.frame(OPCODE.TEXT, 'a', { form: 64, length: 4294967296 })
    assert.equal((await client.untilClosed()).code, 1009)
  },
)

behaviour('no #handshake in time closes with 4005', { handshakeTimeout: 60 }, async (running) => {
  const abort = once(running.server, 'connectionAbort')
  const client = await running.open()
  assert.deepEqual(await client.untilClosed(), { code: 4005, reason: '' })
  const { code, socket } = await abort
  assert.equal(code, 4005)
  assert.equal(socket.state, 'closed')
  await running.untilEmpty()
})

behaviour(
  'a silent client is closed with 4001 after pingTimeout',
  { pingInterval: 30, pingTimeout: 120 },
  async (running) => {
    const client = await running.raw({ answerPings: false })
    assert.equal((await client.untilClosed()).code, 4001)
    assert.ok(client.pings >= 1)
  },
)

behaviour(
  'pongs keep a client open beyond pingTimeout',
  { pingInterval: 25, pingTimeout: 100 },
  async (running) => {
    const client = await running.raw()
    await client.until(() => client.pings >= 9, 'nine pings')
    assert.equal(client.closed, null)
  },
)

behaviour(
  'ordinary messages keep a client open beyond pingTimeout',
  { pingInterval: 25, pingTimeout: 200 },
  async (running) => {
    const client = await running.raw({ answerPings: false })
    const timer = setInterval(() => client.transmit('busy'), 20)
    try {
      await client.until(() => client.pings >= 20 || client.gone(), 'twenty pings')
      assert.equal(client.closed, null)
    } finally {
      clearInterval(timer)
    }
  },
)

behaviour(
  'pingTimeoutDisabled sends no pings and closes nobody',
  { pingInterval: 10, pingTimeout: 30, pingTimeoutDisabled: true },
  async (running) => {
    const client = await running.raw({ answerPings: false })
    await assert.rejects(client.until(() => client.pings > 0 || client.gone(), 'ping', 150))
    await client.subscribe('still-here')
  },
)

// ---- packets in a message, levels of JSON, packets per second ----

const call = (n) => ({ event: 'heard', data: n, cid: 100 + n })
const calls = (count) => Array.from({ length: count }, (_, n) => call(n))
const nested = (levels) => '['.repeat(levels) + ']'.repeat(levels)

/** What the app hears of all clients. */
function hear(running) {
  const heard = []
  running.procedure('heard', (request) => {
    heard.push(request.data)
    request.end(request.data)
  })
  return heard
}

/** The client was closed for this; the warning names it and the figures. */
async function assertCutOff(running, client, { code, error, count, limit }) {
  const closed = await client.untilClosed()
  assert.equal(closed.code, code)
  const isIt = ({ warning }) => warning.code === error
  await running.warnings.until((list) => list.some(isIt), `warning ${error}`)
  const { warning } = running.warnings.find(isIt)
  assert.equal(warning.name, 'ResourceLimitError')
  assert.equal(warning.socketId, client.id)
  assert.deepEqual([warning.count, warning.limit], [count, limit])
  assert.equal(closed.reason, warning.message)
  client.destroy()
}

oursBehaviour(
  'a batch beyond maxBatchLength is refused whole with 1008',
  { maxBatchLength: 10 },
  async (running) => {
    const heard = hear(running)
    const client = await running.raw()
    const other = await running.raw()
    client.send(calls(10))
    await client.response(109)
    client.send([call(10), call(11)])
    client.send(calls(11))
    client.send(call(99))
    const cut = { code: 1008, error: 'ERR_MAX_BATCH_LENGTH', count: 11, limit: 10 }
    await assertCutOff(running, client, cut)
    assert.deepEqual((await other.invoke('heard', 'other')).data, 'other')
    assert.deepEqual(heard, [...Array(12).keys(), 'other'])
    other.destroy()
    await running.untilEmpty()
    await running.assertServes()
  },
)

oursBehaviour('a batch has no largest length by default', async (running) => {
  const client = await running.raw()
  client.send(Array.from({ length: 20000 }, () => 1).concat(call(1)))
  await client.invoke('#subscribe', { channel: 'c' })
})

oursBehaviour(
  'JSON beyond maxDepth is refused with 1008, wherever it goes',
  { maxDepth: 20 },
  async (running) => {
    const heard = hear(running)
    const raws = []
    running.onConnection((socket) => consume(socket.listener('raw'), (each) => raws.push(each)))
    const other = await running.raw()
    await other.subscribe('c')
    const cut = { code: 1008, error: 'ERR_MAX_DEPTH', count: 21, limit: 20 }
    for (const text of [
      `{"event":"heard","data":${nested(20)},"cid":5}`,
      `{"event":"#publish","data":{"channel":"c","data":${nested(19)}}}`,
      `[{"event":"heard","data":1},{"event":"heard","data":${nested(19)}}]`,
      '['.repeat(21),
    ]) {
      const client = await running.raw()
      client.send(text)
      await assertCutOff(running, client, cut)
      running.warnings.length = 0
    }
    const client = await running.raw()
    client.send(`{"event":"heard","data":${nested(19)},"cid":5}`)
    assert.deepEqual((await client.response(5)).data, JSON.parse(nested(19)))
    assert.equal(heard.length, 1)
    assert.deepEqual([raws, other.published('c')], [[], []])
  },
)

oursBehaviour('JSON beyond maxDepth before the handshake closes with 4009', async (running) => {
  const client = await running.open()
  client.send(nested(10001))
  assert.equal((await client.untilClosed()).code, 4009)
})

oursBehaviour(
  'packets beyond messageRate wait, and none is lost',
  { messageRate: { perSecond: 100, burst: 20 } },
  async (running) => {
    const heard = hear(running)
    const client = await running.raw()
    const other = await running.raw()
    const start = performance.now()
    client.send(calls(30))
    for (let n = 30; n < 60; n++) client.send(call(n))
    assert.deepEqual((await other.invoke('heard', 'other')).data, 'other')
    assert.ok(heard.length < 40, `${heard.length} at once`)
    await client.response(159)
    const took = performance.now() - start
    // The handshake is one of 61: 20 of them at once, 41 in 10 ms each.
    assert.ok(took > 390, `all within ${took} ms`)
    assert.deepEqual(
      heard.filter((each) => each !== 'other'),
      [...Array(60).keys()],
    )
    await running.warnings.count(1)
    const [{ warning }] = running.warnings
    assert.equal(running.warnings.length, 1)
    assert.deepEqual(
      [warning.name, warning.code, warning.socketId, warning.limit],
      ['ResourceLimitError', 'ERR_MESSAGE_RATE', client.id, 100],
    )
    assert.equal(client.closed, null)
  },
)

oursBehaviour(
  'a client that is much too fast is not read, and leaves nothing behind',
  { messageRate: { perSecond: 5, burst: 5 }, pingInterval: 20, pingTimeout: 200 },
  async (running) => {
    const heard = hear(running)
    const client = await running.raw()
    const text = encodeFrame(
      OPCODE.TEXT,
      JSON.stringify({ event: 'heard', data: 'x'.repeat(1000) }),
    )
    const flood = Buffer.concat(Array(20000).fill(text))
    client.write(flood)
    const other = await running.raw()
    assert.deepEqual((await other.invoke('heard', 'other')).data, 'other')
    // Most of the flood does not even leave the client.
    await other.until(() => other.pings > 15, 'some time')
    assert.ok(client.socket.bytesWritten - client.socket.writableLength < flood.length)
    assert.equal(client.closed, null)
    client.destroy()
    other.destroy()
    await running.untilEmpty()
    assert.ok(heard.length < 30, `${heard.length} heard`)
    await running.assertServes()
  },
)

oursBehaviour(
  'beyond messageRate with the policy close is 1008',
  { messageRate: { perSecond: 1, burst: 5, policy: 'close' } },
  async (running) => {
    const heard = hear(running)
    const other = await running.raw()
    const one = await running.raw()
    for (let n = 0; n < 5; n++) one.send(call(n))
    const cut = { code: 1008, error: 'ERR_MESSAGE_RATE', limit: 1 }
    await assertCutOff(running, one, { ...cut, count: 1 })
    const two = await running.raw()
    running.warnings.length = 0
    const before = heard.length
    two.send(calls(6))
    await assertCutOff(running, two, { ...cut, count: 6 })
    // Nothing of the batch was handled.
    assert.deepEqual((await other.invoke('heard', 'other')).data, 'other')
    assert.deepEqual(heard.slice(before), ['other'])
  },
)

oursBehaviour(
  'pongs do not use up the messageRate',
  { messageRate: { perSecond: 2, burst: 2 }, pingInterval: 50, pingTimeout: 400 },
  async (running) => {
    const client = await running.raw()
    await client.until(() => client.pings > 15, 'pings')
    assert.equal(client.closed, null)
    assert.equal(running.warnings.length, 0)
  },
)

oursTest('limits that are none are an InvalidOptionsError', () => {
  const refused = (options, message) =>
    assert.throws(
      () => new subject.AGServer({ ...options, wsEngineServerOptions: { noServer: true } }),
      { name: 'InvalidOptionsError', code: 'ERR_INVALID_OPTIONS', message },
    )
  for (const value of [-1, 1.5, NaN, Infinity, '5', null]) {
    refused({ maxBatchLength: value }, /maxBatchLength option must be a whole number of packets/)
    refused({ maxDepth: value }, /maxDepth option must be a whole number of levels/)
  }
  for (const value of [0, -1, NaN, Infinity, '5', undefined]) {
    refused({ messageRate: { perSecond: value } }, /perSecond of the messageRate option/)
  }
  for (const messageRate of [5, true, 'fast']) refused({ messageRate }, /messageRate option/)
  for (const burst of [0, 0.5, NaN, Infinity, '5', null]) {
    refused({ messageRate: { perSecond: 1, burst } }, /burst of the messageRate option/)
  }
  refused({ messageRate: { perSecond: 1, policy: 'drop' } }, /one of: delay, close/)
})
