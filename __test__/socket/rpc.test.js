'use strict'

const assert = require('node:assert/strict')
const { behaviour, eventually, once, oursBehaviour, quiet, subject } = require('../support')

behaviour('a request is answered with what end was given', async (running) => {
  running.procedure('double', (request) => request.end(request.data * 2))
  const { client } = await running.pair()
  assert.equal(await client.invoke('double', 21), 42)
})

behaviour('a request carries socket, id, procedure and data', async (running) => {
  let seen
  running.procedure('look', (request) => {
    seen = request
    request.end()
  })
  const { client, socket } = await running.rawPair()
  client.send({ event: 'look', data: { a: [1, null] }, cid: 77 })
  assert.deepEqual(await client.response(77), { rid: 77 })
  assert.equal(seen.socket, socket)
  assert.equal(seen.id, 77)
  assert.equal(seen.procedure, 'look')
  assert.deepEqual(seen.data, { a: [1, null] })
  assert.equal(seen.sent, true)
  assert.ok(seen instanceof subject.AGRequest)
})

behaviour('any JSON number is a cid and comes back as JavaScript prints it', async (running) => {
  running.procedure('echo', (request) => request.end(request.data))
  const client = await running.raw()
  const tokens = [
    ['0', '0'],
    ['-1', '-1'],
    ['1.5', '1.5'],
    ['1e3', '1000'],
    ['1e19', '10000000000000000000'],
    ['1e21', '1e+21'],
    ['-0', '0'],
    ['9007199254740993', '9007199254740992'],
    ['1e999', 'null'],
  ]
  for (const [sent, back] of tokens) {
    const before = client.texts.length
    client.send(`{"event":"echo","data":7,"cid":${sent}}`)
    await client.until(() => client.texts.length > before, `answer to cid ${sent}`)
    assert.equal(client.texts.at(-1), `{"rid":${back},"data":7}`)
  }
})

behaviour('data beyond the exact integers is printed as JavaScript prints it', async (running) => {
  running.procedure('echo', (request) => request.end(request.data))
  const client = await running.raw()
  client.send('{"event":"echo","data":123456789012345678901,"cid":9007199254740993}')
  await client.until(() => client.texts.length === 2)
  assert.equal(client.texts[1], '{"rid":9007199254740992,"data":123456789012345680000}')
})

behaviour('a cid which is no number makes a transmit', async (running) => {
  const client = await running.open()
  const connection = once(running.server, 'connection')
  await client.handshake()
  const { socket } = await connection
  const received = socket.receiver('thing').once(5000)
  client.send({ event: 'thing', data: 5, cid: '12' })
  assert.equal(await received, 5)
})

behaviour('an error keeps its name, message and own properties', async (running) => {
  running.procedure('fail', (request) => {
    const error = Object.assign(new Error('it broke'), { name: 'BrokenError', part: [1] })
    request.error(error)
  })
  const { client } = await running.pair()
  const failure = await client.invoke('fail').catch((error) => error)
  assert.equal(failure.name, 'BrokenError')
  assert.equal(failure.message, 'it broke')
  assert.deepEqual(failure.part, [1])
})

behaviour('a plain Error travels as its message only, a string as a string', async (running) => {
  running.procedure('plain', (request) => request.error(new Error('plain')))
  running.procedure('text', (request) => request.error('just text'))
  const client = await running.raw()
  assert.deepEqual(await client.invoke('plain'), { rid: 2, error: { message: 'plain' } })
  assert.deepEqual(await client.invoke('text'), { rid: 3, error: 'just text' })
})

behaviour('undefined data is left out and null is sent', async (running) => {
  running.procedure('nothing', (request) => request.end())
  running.procedure('null', (request) => request.end(null))
  const client = await running.raw()
  await client.invoke('nothing')
  await client.invoke('null')
  assert.deepEqual(client.texts.slice(1), ['{"rid":2}', '{"rid":3,"data":null}'])
})

behaviour('a second answer to a request throws', async (running) => {
  const thrown = []
  running.procedure('twice', (request) => {
    request.end(1)
    try {
      request.end(2)
    } catch (error) {
      thrown.push(error)
    }
  })
  const client = await running.raw()
  assert.equal((await client.invoke('twice')).data, 1)
  assert.equal(thrown[0].name, 'InvalidActionError')
  assert.equal(thrown[0].message, 'Response to request 2 has already been sent')
})

behaviour('a procedure without a consumer is never answered', async (running) => {
  running.procedure('known', (request) => request.end('known'))
  const client = await running.raw()
  client.send({ event: 'unknown', cid: 50 })
  assert.equal((await client.invoke('known')).data, 'known')
  assert.equal(
    client.allPackets().some((packet) => packet.rid === 50),
    false,
  )
})

behaviour('requests of one socket reach their procedure in order', async (running) => {
  const order = []
  running.procedure('step', (request) => {
    order.push(request.data)
    request.end()
  })
  const client = await running.raw()
  for (let n = 0; n < 500; n++) client.send({ event: 'step', data: n, cid: 1000 + n })
  await client.response(1499)
  assert.deepEqual(
    order,
    Array.from({ length: 500 }, (_, n) => n),
  )
  const rids = client.packets.slice(1).map(({ rid }) => rid)
  assert.deepEqual(
    rids,
    Array.from({ length: 500 }, (_, n) => 1000 + n),
  )
})

behaviour('an answered #subscribe is also written to its procedure', async (running) => {
  const seen = []
  running.procedure('#subscribe', (request) => seen.push([request.data.channel, request.sent]))
  const client = await running.raw()
  await client.subscribe('a')
  await eventually(() => seen.length === 1, 'request of #subscribe')
  assert.deepEqual(seen, [['a', true]])
})

behaviour('invoke resolves with what the client answered', async (running) => {
  const { client, socket } = await running.pair()
  ;(async () => {
    for await (const request of client.procedure('sum')) request.end(request.data[0] + 1)
  })()
  assert.equal(await socket.invoke('sum', [41]), 42)
})

behaviour("invoke rejects with the client's error", async (running) => {
  const { client, socket } = await running.rawPair()
  const answer = socket.invoke('ask', { q: 1 })
  await client.until(() => client.events('ask').length === 1)
  const [{ cid, data }] = client.events('ask')
  assert.deepEqual(data, { q: 1 })
  client.send({ rid: cid, error: { name: 'RefusedError', message: 'no', extra: 1 } })
  await assert.rejects(answer, { name: 'RefusedError', message: 'no', extra: 1 })
})

behaviour('the ackTimeout of one invoke comes before that of the server', async (running) => {
  const { client, socket } = await running.rawPair()
  const late = socket.invoke('slow', 1, { ackTimeout: 30 })
  await assert.rejects(late, {
    name: 'TimeoutError',
    message: 'Event response for slow event timed out',
  })
  const [{ cid }] = client.events('slow')
  client.send({ rid: cid, data: 'too late' })
  await client.subscribe('still-open')
})

behaviour('the cids of the server count from 1 for each socket', async (running) => {
  const { client, socket } = await running.rawPair()
  for (const name of ['a', 'b', 'c']) socket.invoke(name).catch(() => {})
  await client.until(() => client.events('c').length === 1)
  assert.deepEqual(
    client.packets.slice(1).map(({ event, cid }) => [event, cid]),
    [
      ['a', 1],
      ['b', 2],
      ['c', 3],
    ],
  )
  client.destroy()
  await once(socket, 'end')
})

behaviour('pending invokes are rejected when the client goes', async (running) => {
  const { client, socket } = await running.rawPair()
  const pending = socket.invoke('never')
  await client.until(() => client.events('never').length === 1)
  const rejected = assert.rejects(pending, {
    name: 'BadConnectionError',
    type: 'disconnect',
    code: 4321,
    reason: 'bye',
  })
  client.sendClose(4321, 'bye')
  await rejected
})

behaviour('an invoke on a closed socket rejects, a transmit warns', async (running) => {
  const { client, socket } = await running.rawPair()
  const end = once(socket, 'close')
  client.sendClose(1000)
  await end
  await assert.rejects(socket.invoke('late'), {
    name: 'BadConnectionError',
    type: 'connectAbort',
    message: 'Socket invoke late event was aborted due to a bad connection',
  })
  await socket.transmit('late')
  await running.warnings.until((list) =>
    list.some(({ warning }) =>
      warning.message.startsWith('Socket transmit late event was aborted'),
    ),
  )
})

behaviour('an answer after the client has gone is a warning', async (running) => {
  let request
  running.procedure('hold', (held) => (request = held))
  const { client, socket } = await running.rawPair()
  client.send({ event: 'hold', cid: 9 })
  await client.subscribe('barrier')
  const closed = once(socket, 'close')
  client.sendClose(1000)
  await closed
  request.end('late')
  await running.warnings.until((list) =>
    list.some(({ warning }) => /WebSocket is not open/.test(warning.message)),
  )
})

behaviour('an answer with an unknown rid is ignored', async (running) => {
  const client = await running.raw()
  client.send({ rid: 99, data: 1 })
  client.send({ rid: 1.5, error: { message: 'x' } })
  await client.subscribe('barrier')
  await quiet(10)
  assert.equal(running.warnings.length, 0)
  assert.equal(client.closed, null)
})

oursBehaviour(
  'calls of one message reach an app that takes them one at a time',
  async (running) => {
    const { client, socket } = await running.rawPair()
    const taken = (async () => {
      for (let count = 0; count < 3; count++) {
        const request = await socket.procedure('take').once()
        request.end(request.data)
      }
    })()
    client.send([11, 12, 13].map((cid) => ({ event: 'take', data: `call ${cid}`, cid })))
    await taken
    for (const cid of [11, 12, 13]) {
      assert.deepEqual(await client.response(cid), { rid: cid, data: `call ${cid}` })
    }
  },
)

oursBehaviour(
  'a call sees what the one before it has done, whatever their names',
  async (running) => {
    const { client, socket } = await running.rawPair()
    const seen = []
    const handle = async (name, act) => {
      for await (const request of socket.procedure(name)) {
        seen.push(request.data)
        act(request)
      }
    }
    let answer = 'closed'
    handle('open', (request) => {
      answer = 'open'
      request.end()
    })
    handle('look', (request) => request.end(answer))
    const names = ['look', 'look', 'open', 'look', 'open', 'look', 'look']
    client.send(names.map((event, index) => ({ event, data: index, cid: index + 11 })))
    const looks = [11, 12, 14, 16, 17]
    const answers = await Promise.all(looks.map((cid) => client.response(cid)))
    assert.deepEqual(
      answers.map(({ data }) => data),
      ['closed', 'closed', 'open', 'open', 'open'],
    )
    assert.deepEqual(seen, [...names.keys()])
  },
)
