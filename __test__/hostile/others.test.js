'use strict'

// oxlint-disable unicorn/require-post-message-target-origin -- a message port has no origin

// One client at its worst: the others must not wait for it, and memory must come back. Server,
// attacker and the client which must not suffer have a thread each.
const assert = require('node:assert/strict')
const { fork } = require('node:child_process')
const path = require('node:path')
const { Worker } = require('node:worker_threads')
const { OPCODE, RawClient, encodeFrame, eventually, forEachTransport } = require('../support')
const { isOurs, oursTest, quiet } = require('../support')

// Some ms are usual. Seconds would be a fault; this leaves room for a machine with much to do.
const LONGEST_WAIT = 700
const MB = 1 << 20

const script = (name) => path.join(__dirname, 'scripts', name)
const told = (emitter) => new Promise((resolve) => emitter.once('message', resolve))
const times = (count, packet) => Array.from({ length: count }, (_, n) => packet(n))

/** A frame with a mask of zeros, so that big ones cost the attacker nothing. */
function bigFrame(text) {
  const head = Buffer.alloc(14)
  head[0] = 0x80 | OPCODE.TEXT
  head[1] = 0x80 | 127
  head.writeBigUInt64BE(BigInt(text.length), 2)
  return Buffer.concat([head, Buffer.from(text, 'latin1')])
}

const batch = (packets) => bigFrame(`[${packets.join(',')}]`)
const call = (n) => `{"event":"echo","data":${n},"cid":${1000 + n}}`
const subscribe = (n) => `{"event":"#subscribe","data":{"channel":"c${n}"},"cid":${1000 + n}}`
const publish = (n) => `{"event":"#publish","data":{"channel":"barrier","data":${n}}}`
const authenticate = (n) => `{"event":"#authenticate","data":"x.y.z","cid":${1000 + n}}`
const many = (count, packet) =>
  Buffer.concat(times(count, (n) => encodeFrame(OPCODE.TEXT, packet(n))))

const published = (data) =>
  bigFrame(`{"event":"#publish","data":{"channel":"barrier","data":${data}}}`)
const filled = (unit) => unit.repeat((40 * MB) / unit.length)

const BRACKETS = '40 MB of opening brackets'
const ATTACKS = {
  [BRACKETS]: () => bigFrame('['.repeat(40 * MB)),
  'a batch of 2,000 deep arrays': () =>
    batch(times(2000, () => '['.repeat(9999) + ']'.repeat(9999))),
  'a publish of 40 MB of numbers': () => published(`[${filled('1.5,')}1.50]`),
  'a publish of 40 MB of members': () => published(`{${filled('"k":"v",')}"k":1}`),
  'a publish of 40 MB of bytes': () => published(`{"type":"Buffer","data":[${filled('12,')}1]}`),
  'a batch of 3 million empty objects': () => batch([`${'{},'.repeat(3e6)}{}`]),
  'a batch of 5 million numbers': () => batch([`${'1,'.repeat(5e6)}1`]),
  'data of 40 MB nobody waits for': () => bigFrame(`{"event":"x","data":"${'x'.repeat(40 * MB)}"}`),
  'a batch of 30,000 calls': () => batch(times(30000, call)),
  'a batch of 30,000 subscriptions': () => batch(times(30000, subscribe)),
  'a batch of 30,000 publications': () => batch(times(30000, publish)),
  '100,000 events for the app': () => many(100000, () => '{"event":"heard","data":1}'),
  '30,000 subscriptions one by one': () => many(30000, subscribe),
  '30,000 tokens which are none': () => many(30000, authenticate),
  '50,000 handshakes more': () => many(50000, (n) => `{"event":"#handshake","cid":${1000 + n}}`),
}

/** A client which forgets what it reads, up to the answer to its last packet. */
async function attack(port, bytes) {
  const client = new RawClient({ port })
  await client.open()
  await client.handshake()
  let answered = false
  client._text = (text) => {
    if (text === '') client.send('')
    else if (text === '{"rid":999999}') answered = true
  }
  client.write(bytes)
  client.send({ event: '#subscribe', data: { channel: 'barrier' }, cid: 999999 })
  await client.until(() => answered || client.gone(), 'end of the attack', 20000)
  client.destroy()
  return answered
}

async function withServer(transport, body) {
  const server = fork(script('serve.js'), [transport], { execArgv: ['--expose-gc'] })
  let exited = false
  server.once('exit', () => (exited = true))
  const figures = () => {
    server.send('figures')
    return told(server)
  }
  try {
    const { port } = await told(server)
    await body(port, figures)
    assert.equal(exited, false)
  } finally {
    server.kill()
  }
}

/** A client which must not suffer; tells how long it waited at most. */
async function startCanary(port) {
  const canary = new Worker(script('canary.js'), { workerData: { port } })
  await told(canary)
  return async () => {
    canary.postMessage('tell')
    const { worst, gone } = await told(canary)
    assert.equal(gone, false)
    assert.ok(worst < LONGEST_WAIT, `somebody else waited ${worst} ms`)
  }
}

async function attackBesideOthers(port, figures, bytes, refused) {
  const canaryIsWell = await startCanary(port)
  await attack(port, Buffer.concat([encodeFrame(OPCODE.TEXT, 'first')]))
  await quiet()
  const before = await figures()
  const answered = await attack(port, bytes)
  await canaryIsWell()
  assert.equal(answered, !refused)
  await eventually(async () => (await figures()).clients === 0, 'server without clients')
  const grown = async () => ((await figures()).rss - before.rss) / MB
  // Nothing of a big message may stay; many small packets make V8's own heap grow a little.
  const allowed = bytes.length > 32 * MB ? 36 : 64
  await eventually(async () => (await grown()) < allowed, 'memory back', 10000)
}

for (const [name, bytes] of Object.entries(isOurs ? ATTACKS : {})) {
  forEachTransport((transport) => {
    oursTest(`${name} (${transport})`, () =>
      withServer(transport, (port, figures) =>
        attackBesideOthers(port, figures, bytes(), name === BRACKETS),
      ),
    )
  })
}

async function subscribeBesideOthers(port, figures) {
  const count = 100000
  const canaryIsWell = await startCanary(port)
  const before = await figures()
  const client = new RawClient({ port })
  await client.open()
  await client.handshake()
  client.write(batch(times(count, subscribe)))
  await client.subscribe('barrier')
  assert.equal(client.packets.filter(({ rid }) => rid >= 1000).length, count)
  assert.equal((await figures()).channels, count + 1)
  await canaryIsWell()
  client.destroy()
  await eventually(async () => (await figures()).channels === 0, 'no channels', 10000)
  const grown = async () => ((await figures()).rss - before.rss) / MB
  await eventually(async () => (await grown()) < 64, 'memory back', 10000)
}

forEachTransport((transport) => {
  oursTest(`100,000 subscriptions of one socket (${transport})`, () =>
    withServer(transport, subscribeBesideOthers),
  )
})
