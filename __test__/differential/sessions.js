'use strict'

const crypto = require('node:crypto')
const { encodeFrame, OPCODE } = require('../support')
const { KEY, pem } = require('./profiles')

const sessions = []
const add = (id, profile, run) => sessions.push({ id, profile, run })

/** Handshake, the messages one by one, and a fence. */
function after(id, messages, { profile = 'default', ...options } = {}) {
  add(id, profile, async (player) => {
    const client = await player.connect(options)
    for (const message of messages) client.send(message)
    await player.fence(client)
  })
}

/** The messages without a handshake; then, where the connection is still open, a handshake. */
function before(id, messages, profile = 'default') {
  add(id, profile, async (player) => {
    const client = await player.open()
    for (const message of messages) client.send(message)
    await new Promise((resolve) => setTimeout(resolve, 30))
    const done = () => client.gone() || client.packets.some((each) => each && each.data)
    if (!done()) client.send('{"event":"#handshake","data":{},"cid":500}')
    await client.until(done, 'handshake answer')
    const answer = client.allPackets().find((each) => each && each.data && each.data.id)
    if (answer) client.id = answer.data.id
    await player.fence(client)
  })
}

const subscribe = (channel, cid) => ({ event: '#subscribe', data: { channel }, cid })
const publish = (channel, data, cid) => ({ event: '#publish', data: { channel, data }, cid })
const echo = (cid) => ({ event: 'echo', data: cid, cid })

// The handshake
after('handshake.second', ['{"event":"#handshake","data":{},"cid":2}'])
after('handshake.second.with-token', [{ event: '#handshake', data: { authToken: 'x' }, cid: 2 }])
before('handshake.batch', ['[{"event":"#handshake","data":{},"cid":1},{"event":"echo","cid":2}]'])
before('handshake.batch-of-two', [
  '[{"event":"#handshake","data":{},"cid":1},{"event":"#handshake","data":{},"cid":2}]',
])
for (const cid of ['0', '-1', '1.5', '1e999', '"1"', 'null', '{}']) {
  before(`handshake.cid ${cid}`, [`{"event":"#handshake","data":{},"cid":${cid}}`])
}
for (const data of ['null', '5', '"x"', '[]', '{"authToken":5}', '{"authToken":["x"]}']) {
  before(`handshake.data ${data}`, [`{"event":"#handshake","data":${data},"cid":1}`])
}
before('handshake.escaped', ['{"\\u0065vent":"\\u0023handshake","data":{},"cid":1}'])
before('handshake.duplicate-keys', ['{"event":"x","event":"#handshake","cid":5,"cid":1}'])
for (const early of ['', '[]', 'junk', '{"event":"any"}', '[[]]', '{"rid":1}', 'null']) {
  before(`early ${early || 'pong'}`, [early])
  before(`early.lax ${early || 'pong'}`, [early], 'lax')
}
before('early.lax.subscribe', [subscribe('a', 3)], 'lax')

// Numbers, texts and other values
const values = [
  '1e400',
  '-0',
  '9007199254740993',
  '1e21',
  '100000000000000000000',
  '5e-324',
  '1.10',
]
values.push('"\\ud800"', '"\\udc00\\ud800"', '"\\u0000\\u001f\\u007f\\/"', '{"2":1,"1":2,"b":3}')
values.push('{"type":"Buffer","data":[1,999,-1]}', '{"__proto__":{"a":1},"constructor":1}')
values.push('{"a":1,"a":2}', '{"base64":true,"data":"AP8="}', '"\u2028\ufeff"', '[[[null]]]')
values.forEach((value) => {
  after(`value ${value}`, [
    `{"event":"echo","data":${value},"cid":2}`,
    subscribe('a', 3),
    `{"event":"#publish","data":{"channel":"a","data":${value}},"cid":4}`,
    `{"event":"any","data":${value}}`,
  ])
})
const broken = [
  '{',
  '{"event":"echo","cid":2,}',
  '\u000b{}',
  '\u00a0{}',
  '{"event":"echo","data":01}',
]
broken.push('NaN', '{"event":"echo","cid":2}x', '#1', '""', '42', 'true', '    ', '{"event":null}')
after('unreadable', broken)

// Requests
after(
  'cids',
  ['0', '-1', '1.5', '1e19', '-0', '1e999', '"2"', 'null', '[]'].map(
    (cid) => `{"event":"echo","data":1,"cid":${cid}}`,
  ),
)
after('errors', [
  { event: 'fail', cid: 2 },
  { event: 'fail-text', cid: 3 },
])
after('answers', [
  { event: 'nothing', cid: 2 },
  { event: 'bytes', cid: 3 },
  { event: 'none', cid: 4 },
])
after('same-cid', [echo(2), echo(2), { event: 'fail', cid: 2 }])
add('counters', 'default', async (player) => {
  const client = await player.connect()
  const messages = ['', 'raw', { event: 'any' }, { event: 'counters', cid: 9 }]
  for (const message of messages) client.send(message)
  await client.response(9)
  await player.fence(client)
})
after('empty-event', [
  { event: '', data: 1 },
  { event: '', cid: 2 },
])
const reply = (id, make) =>
  add(`reply.${id}`, 'default', async (player) => {
    const client = await player.connect()
    client.send({ event: 'ask', data: 1, cid: 2 })
    await client.until(() => client.events('question').length === 1, 'question')
    const { cid } = client.events('question')[0]
    for (const message of [].concat(make(cid))) client.send(message)
    await client.response(2)
    await player.fence(client)
  })
reply('data', (rid) => ({ rid, data: { a: 1 } }))
reply('none', (rid) => ({ rid }))
reply('error', (rid) => ({ rid, error: { name: 'XError', message: 'bad' }, data: 1 }))
reply('error-text', (rid) => ({ rid, error: 'bad' }))
reply('error-zero', (rid) => ({ rid, error: 0, data: 5 }))
reply('text-rid', (rid) => ({ rid: `${rid}`, data: 1 }))
reply('twice', (rid) => [
  { rid, data: 1 },
  { rid, data: 2 },
])
reply('batch', (rid) => [JSON.stringify([{ rid, data: 1 }])])
reply('exponent', (rid) => `{"rid":${rid}e0,"data":1}`)

// Channels
after('subscribe.twice', [subscribe('a', 2), subscribe('a', 3), publish('a', 1, 4)])
after('subscribe.options', [
  {
    event: '#subscribe',
    data: { channel: 'a', waitForAuth: true, data: { x: 1 }, foo: [1] },
    cid: 2,
  },
])
after('subscribe.no-cid', [subscribe('a'), publish('a', 1, 4), { event: 'subscriptions', cid: 5 }])
after(
  'subscribe.limit',
  ['a', 'b', 'a', 'c'].map((name, n) => subscribe(name, n + 2)),
  {
    profile: 'limit',
  },
)
after('unsubscribe.unknown', [
  { event: '#unsubscribe', data: 'x', cid: 2 },
  { event: '#unsubscribe', data: 'x' },
])
after('unsubscribe.object', [
  subscribe('a', 2),
  { event: '#unsubscribe', data: { channel: 'a' }, cid: 3 },
])
after('publish.closed', [subscribe('a', 2), publish('a', 1, 3), publish('a', 1)], {
  profile: 'closed',
})
const odd = [null, true, 1, '', [], {}, ['a']]
after(
  'channel-types',
  odd.flatMap((channel, n) => [
    { event: '#subscribe', data: { channel }, cid: 10 + n },
    { event: '#publish', data: { channel, data: 1 }, cid: 30 + n },
    { event: '#unsubscribe', data: channel, cid: 50 + n },
  ]),
)
after(
  'data-types',
  odd.flatMap((data, n) => [
    { event: '#subscribe', data, cid: 10 + n },
    { event: '#publish', data, cid: 30 + n },
    { event: '#removeAuthToken', data },
    { event: '#kickOut', data },
  ]),
)
after('surrogates', [
  '{"event":"#subscribe","data":{"channel":"\\ud800"},"cid":2}',
  '{"event":"#publish","data":{"channel":"\\ud801","data":1},"cid":3}',
  '{"event":"#publish","data":{"channel":"\\ufffd","data":2},"cid":4}',
  '{"event":"#publish","data":{"channel":"\\ud800","data":3},"cid":5}',
])
add('kick', 'default', async (player) => {
  const client = await player.connect()
  client.send(subscribe('a', 2))
  client.send({ event: 'kick', data: 'a', cid: 3 })
  await client.response(3)
  client.send(publish('a', 1, 4))
  await player.fence(client)
})
after('publish.no-data', [subscribe('a', 2), { event: '#publish', data: { channel: 'a' }, cid: 3 }])
after('publish.extra', [
  subscribe('a', 2),
  { event: '#publish', data: { channel: 'a', data: 1, more: {} }, cid: 3, x: 1 },
])
add('publish.between', 'default', async (player) => {
  const [one, two] = [await player.connect(), await player.connect()]
  one.send(subscribe('a', 2))
  await player.fence(one)
  for (let n = 0; n < 100; n++) two.send(publish('a', n))
  two.send({ event: 'publish', data: { channel: 'a', data: 'last' }, cid: 5 })
  await two.response(5)
  await player.fence(two)
  await one.until(() => one.published('a').length === 101)
})

// Batches
after('batch.mixed', [
  '[null,5,"x",true,[],{},{"event":"echo","cid":2,"data":1},[{"event":"echo"}]]',
])
after('batch.channels', [
  [
    subscribe('a', 2),
    publish('a', 1, 3),
    { event: '#unsubscribe', data: 'a', cid: 4 },
    publish('a', 2, 5),
  ],
])
after('batch.closing', [[echo(2), { event: '#authenticate' }, echo(3), subscribe('z', 4)]])
after('batch.thousand', [Array.from({ length: 1000 }, (_, n) => echo(n + 10))])

// Tokens
const b64 = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
function token(claims, header = {}, key = KEY) {
  const text = `${b64({ alg: 'HS256', typ: 'JWT', ...header })}.${b64(claims)}`
  if (!key) return `${text}.`
  return `${text}.${crypto.createHmac('sha256', key).update(text).digest('base64url')}`
}
const later = Math.floor(Date.now() / 1000) + 1000
const tokens = {
  good: token({ user: 'ann' }),
  expired: token({ user: 'ann', exp: 1000 }),
  'not-yet': token({ user: 'ann', nbf: later }),
  'exp-text': token({ exp: 'never' }),
  'exp-object': token({ exp: {} }),
  'nbf-text': token({ nbf: 'x' }),
  none: token({ user: 'admin' }, { alg: 'none' }, null),
  forged: token({ user: 'admin' }, {}, 'another key'),
  'rs-header': token({ user: 'admin' }, { alg: 'RS256' }),
  'lower-case': token({ user: 'admin' }, { alg: 'hs256' }),
  'no-signature': token({ user: 'admin' }, {}, null),
  junk: 'abc',
  dots: '..',
  text: token('text'),
  list: token([1]),
  null: token(null),
}
for (const [name, authToken] of Object.entries(tokens)) {
  after(
    `token.${name}`,
    [
      { event: 'auth', cid: 2 },
      { event: '#authenticate', data: authToken, cid: 3 },
      { event: 'auth', cid: 4 },
    ],
    {
      handshake: { authToken },
    },
  )
}
after('token.pair.hmac', [{ event: 'auth', cid: 2 }], {
  profile: 'pair',
  handshake: { authToken: token({ user: 'admin' }, {}, pem('public')) },
})
after('token.no-cid', [{ event: '#authenticate', data: tokens.good }])
after('token.removed', [{ event: '#removeAuthToken' }, { event: 'auth', cid: 2 }], {
  handshake: { authToken: tokens.good },
})

// Frames and ends
const bytes = (id, frames, profile = 'default') =>
  add(`frame.${id}`, profile, async (player) => {
    const client = await player.connect()
    client.write(Buffer.concat(frames))
    await player.fence(client)
  })
const { TEXT, BINARY, CONTINUATION, PING, CLOSE } = OPCODE
bytes('unmasked', [encodeFrame(TEXT, '{}', { mask: false })])
bytes('reserved-bit', [encodeFrame(TEXT, '{}', { rsv: 4 })])
bytes('reserved-opcode', [encodeFrame(3, '')])
bytes('not-utf8', [encodeFrame(TEXT, Buffer.from([0xff]))])
bytes('long-ping', [encodeFrame(PING, 'x'.repeat(126))])
bytes('ping', [encodeFrame(PING, 'payload')])
bytes('too-big', [encodeFrame(TEXT, 'x'.repeat(1025))], 'small')
bytes('just-fits', [encodeFrame(TEXT, 'x'.repeat(1024))], 'small')
bytes('fragments', [
  encodeFrame(TEXT, '{"event":"echo",', { fin: false }),
  encodeFrame(CONTINUATION, '"cid":2}'),
])
bytes('binary-json', [
  encodeFrame(BINARY, '{"event":"echo","data":1,"cid":2}'),
  encodeFrame(BINARY, ''),
])
for (const code of [1000, 1001, 1007, 3000, 4999, 999, 1006, 5000]) {
  const body = Buffer.from([code >> 8, code & 255])
  bytes(`close-${code}`, [encodeFrame(CLOSE, body)])
}
bytes('close-empty', [encodeFrame(CLOSE, '')])
after('leave', [{ event: 'leave', data: { code: 4321, reason: 'because' }, cid: 2 }])
after('leave.plain', [{ event: 'leave', cid: 2 }])
for (const message of ['#1', '#2', ''])
  after(`one ${message || 'empty'}`, [message], { profile: 'one' })

// The upgrade
const upgrade = (id, options, profile = 'default') =>
  add(`upgrade.${id}`, profile, async (player) => {
    const client = await player.connect(options)
    if (client.status === 101) await player.fence(client)
    else await client.untilEnded()
  })
upgrade('path', { path: '/socketcluster' })
upgrade('no-key', { headers: { 'Sec-WebSocket-Key': null } })
upgrade('version', { headers: { 'Sec-WebSocket-Version': '12' } })
upgrade('post', { method: 'POST' })
upgrade('protocol', { headers: { 'Sec-WebSocket-Protocol': 'a, b' } })
upgrade('bad-protocol', { headers: { 'Sec-WebSocket-Protocol': 'a b' } })
upgrade('origin', { headers: { Origin: 'http://good.example' } }, 'origin')
upgrade('origin.bad', { headers: { Origin: 'http://good.example.evil.com' } }, 'origin')

// Middleware
for (const how of ['deny', 'silent', 'mute', 'text', 'change']) {
  const name = `${how}-x`
  after(
    `middleware.${how}`,
    [
      subscribe('ok', 2),
      subscribe(name, 3),
      publish(name, 1, 4),
      publish(name, 2),
      { event: name, data: 1, cid: 5 },
      { event: name, data: 1 },
      { event: 'subscriptions', cid: 6 },
    ],
    { profile: 'middleware' },
  )
}
after('middleware.outbound', [subscribe('outdeny', 2), publish('outdeny', 1, 3)], {
  profile: 'middleware',
})
for (const how of ['deny', 'code', 'silent', 'mute']) {
  upgrade(`middleware.sc.${how}`, { path: `/socketcluster/?sc=${how}` }, 'middleware')
  upgrade(`middleware.ws.${how}`, { path: `/socketcluster/?ws=${how}` }, 'middleware')
}

module.exports = { sessions }
