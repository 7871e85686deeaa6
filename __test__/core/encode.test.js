'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const formatter = require('sc-formatter')
const { CommandBuffer, OP } = require('../../lib/core/commands')
const { encodeData, encodePacket } = require('../../lib/core/encode')

const CONN = { slot: 7, generation: 9 }
const HEADER = 13

/** Values, and whether they are written in place. */
const VALUES = [
  ['text', true],
  ['', true],
  ['a'.repeat(1000), true],
  ['quote " and \\', false],
  [`${'a'.repeat(100)}\n`, false],
  ['\u0000', false],
  ['\u007f', false],
  ['é', false],
  ['😀', false],
  ['\ud83d', false],
  [0, true],
  [-0, true],
  [1.5e-7, true],
  [1e21, true],
  [NaN, true],
  [Infinity, true],
  [true, true],
  [null, true],
  [{}, true],
  [[], true],
  [[[]], true],
  [[1, 'a', null, { b: [false] }], true],
  [{ a: undefined, b: 1 }, true],
  [{ a: undefined }, true],
  [{ 2: 'b', 1: 'a', z: 0 }, true],
  [JSON.parse('{"__proto__":{"a":1}}'), true],
  [{ ключ: 1 }, false],
  [[undefined], false],
  [[() => 1], false],
  [{ a: () => 1, b: 2 }, false],
  [{ a: Symbol('a') }, false],
  [new Date(0), false],
  [{ a: new Date(0) }, false],
  [{ toJSON: () => 5 }, false],
  [{ a: { toJSON: () => undefined } }, false],
  [{ toJSON: () => Buffer.from('abc') }, false],
  [{ toJSON: () => Buffer.alloc(0) }, false],
  [Buffer.from('abc'), false],
  [Buffer.alloc(0), false],
  [{ deep: [{ buffer: Buffer.from('abc') }] }, false],
  [{ type: 'Buffer', data: [1, 2] }, false],
  [{ data: [1, 2], type: 'Buffer' }, false],
  [{ type: 'Buffer', data: 'none' }, false],
  [{ type: 'Buffers', data: [1] }, true],
  [new ArrayBuffer(3), false],
  [new Uint8Array(2), false],
  [new Map([[1, 2]]), false],
  [Object.assign(new URLSearchParams(), { x: 1 }), false],
  [Object.create(null), false],
  [Object.create({ inherited: 1 }), false],
  [new Number(5), false],
  [new String('x'), false],
]

function deep(levels) {
  let value = 1
  for (let level = 0; level < levels; level++) value = [value]
  return value
}

/** The text of a packet that is written in place; nothing if it is not. */
function inPlace(packet, commands = new CommandBuffer()) {
  const start = commands.length
  if (!commands.encoded(OP.SEND_PACKET, CONN, packet)) {
    assert.equal(commands.length, start)
    return undefined
  }
  const { buffer, length } = commands
  assert.equal(buffer[start], OP.SEND_PACKET)
  assert.equal(buffer.readUInt32LE(start + 1), CONN.slot)
  assert.equal(buffer.readUInt32LE(start + 5), CONN.generation)
  assert.equal(buffer.readUInt32LE(start + 9), length - start - HEADER)
  return buffer.toString('utf8', start + HEADER, length)
}

for (const [value, quick] of [...VALUES, [deep(3), true], [deep(100), false]]) {
  test(`a packet is what the default codec makes of it: ${JSON.stringify(value)}`, () => {
    const packet = { rid: 5, data: value }
    const expected = formatter.encode(packet)
    assert.equal(encodePacket(formatter, packet), expected)
    assert.equal(inPlace(packet), quick ? expected : undefined)
    const data = encodeData(value)
    assert.equal(data === undefined ? '{}' : `{"data":${data}}`, formatter.encode({ data: value }))
  })
}

test('no data is no text', () => {
  assert.equal(encodeData(undefined), undefined)
  assert.equal(
    encodeData(() => 1),
    undefined,
  )
})

test('what the codec throws is thrown', () => {
  const circle = { big: 1n }
  assert.throws(() => encodePacket(formatter, circle), TypeError)
  circle.big = circle
  assert.throws(() => encodePacket(formatter, { data: circle }), /circular/)
  assert.equal(inPlace({ data: circle }), undefined)
  const thrower = {
    get a() {
      throw new Error('from a getter')
    },
  }
  assert.throws(() => encodePacket(formatter, thrower), /from a getter/)
  assert.equal(inPlace(thrower), undefined)
})

test('another codec is asked', () => {
  const codec = { encode: (packet) => `<${packet.a}>` }
  assert.equal(encodePacket(codec, { a: 1 }), '<1>')
})

test('packets that do not fit are left to the codec', () => {
  const commands = new CommandBuffer()
  const room = commands.buffer.length
  const fits = Array.from({ length: 1000 }, () => 'abc')
  const expected = JSON.stringify({ data: fits })
  assert.equal(inPlace({ data: fits }, commands), expected)
  assert.equal(inPlace({ data: [...fits, 'a'.repeat(room)] }, commands), undefined)
  for (let i = 0; i < 20; i++) {
    const text = inPlace({ data: fits }, commands)
    if (text === undefined) commands.begin(OP.SEND_PACKET, CONN).text(expected)
    else assert.equal(text, expected)
  }
})

test('commands that a getter begins keep their place', () => {
  const commands = new CommandBuffer()
  const packet = {
    a: 1,
    get b() {
      commands.begin(OP.CLOSE, CONN).u32(1000).text('bye')
      assert.equal(commands.encoded(OP.SEND_PACKET, CONN, { c: 1 }), false)
      return 2
    },
  }
  assert.equal(commands.encoded(OP.SEND_PACKET, CONN, packet), false)
  assert.equal(commands.length, 20)
  assert.equal(commands.buffer.toString('utf8', 17, 20), 'bye')
})
