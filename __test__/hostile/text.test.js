'use strict'

const assert = require('node:assert/strict')
const { OPCODE, encodeFrame } = require('../support')
const { survives } = require('./serving')

const NOT_UTF8 = {
  'a lone continuation byte': [0x80],
  'an overlong slash': [0xc0, 0xaf],
  'a surrogate': [0xed, 0xa0, 0x80],
  'a code point above 10FFFF': [0xf4, 0x90, 0x80, 0x80],
  'a cut off sequence': [0xe2, 0x82],
  'FE and FF': [0xfe, 0xff],
}

for (const [name, bytes] of Object.entries(NOT_UTF8)) {
  survives(`text with ${name} closes with 1007`, async (running) => {
    const client = await running.raw()
    client.frame(OPCODE.TEXT, Buffer.from(bytes))
    assert.equal((await client.untilClosed()).code, 1007)
  })
}

survives('UTF-8 which is cut by a fragment is whole again', async (running) => {
  const { client, socket } = await running.rawPair()
  const received = socket.receiver('x').once(5000)
  const bytes = Buffer.from('{"event":"x","data":"🎉"}')
  const cut = bytes.indexOf(0xf0) + 2
  client.write(encodeFrame(OPCODE.TEXT, bytes.subarray(0, cut), { fin: false }))
  client.write(encodeFrame(OPCODE.CONTINUATION, bytes.subarray(cut)))
  assert.equal(await received, '🎉')
})

const UNREADABLE = [
  '{',
  '{"event":',
  '{"event":"x","cid":2,}',
  '{"event":"x","cid":NaN}',
  '{"event":"x","data":01}',
  '{"event":"x","data":"a\nb"}',
  '{"event":"x"}{"event":"x"}',
  '\u000b{"event":"x"}',
  '\u00a0{"event":"x"}',
  '\ufeff{"event":"x"}',
  'null',
  '42',
  '"text"',
  '#1',
  '    ',
  '{}',
  '{"event":null,"rid":null}',
]

survives('unreadable messages leave the connection open', async (running) => {
  const { client, socket } = await running.rawPair()
  const received = []
  const { consume } = require('../support')
  consume(socket.receiver('x'), (data) => {
    received.push(data)
  })
  for (const text of UNREADABLE) client.send(text)
  await client.subscribe('barrier')
  assert.deepEqual(received, [])
  assert.equal(client.closed, null)
})

survives('a batch of anything leaves the connection open', async (running) => {
  const client = await running.raw()
  client.send('[null,5,"x",true,[],{},[[]],{"event":5},{"rid":"x"}]')
  client.send('[[[[]]]]')
  await client.subscribe('barrier')
  assert.equal(client.closed, null)
})

survives('binary junk leaves the connection open', async (running) => {
  const client = await running.raw()
  client.sendBinary(Buffer.from([0xff, 0xfe, 0, 1, 2]))
  client.sendBinary(Buffer.alloc(0))
  await client.subscribe('barrier')
  assert.equal(client.closed, null)
})

survives('odd channel names work like any other', async (running) => {
  const client = await running.raw()
  const names = [
    'a\u0000b',
    '🎉',
    ' ',
    'a\nb',
    '../../etc',
    '*',
    'a.>',
    '\u202e',
    '"\\',
    '#publish',
  ]
  names.push('é', 'e\u0301', 'c'.repeat(70000))
  for (const name of names) assert.equal((await client.subscribe(name)).error, undefined)
  for (const name of names) await client.publish(name, 'hit')
  for (const name of names) assert.deepEqual(client.published(name), ['hit'])
})
