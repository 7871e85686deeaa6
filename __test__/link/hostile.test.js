'use strict'

const { test } = require('node:test')
const assert = require('node:assert/strict')
const http = require('node:http')
const net = require('node:net')
const { once } = require('node:events')
const WebSocket = require('ws')
const es = require('../..')
const { hosts, frames } = require('../../lib/link')
const { helloFrame, proofFrame } = require('./support/greeting')
const { Memory } = require('./support/memory')

const { PATH, SUBPROTOCOL } = frames
const limit = { timeout: 60_000 }

/** Numbers below `n` that are the same every time. */
function random(seed) {
  let state = seed
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * n)
  }
}

const request = Buffer.from(
  `GET ${PATH}data/ HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\n` +
    `Sec-WebSocket-Protocol: ${SUBPROTOCOL}\r\n\r\n`,
)

/** A frame as a client sends it, with a mask of zeros. */
function masked(payload, { opcode = 2, length = payload.length } = {}) {
  const head = Buffer.from([0x80 | opcode, 0x80 | 126, length >> 8, length & 255, 0, 0, 0, 0])
  return Buffer.concat([head, payload])
}

/** Sends some bytes and waits until the other side has ended the connection, or a little. */
async function throwAt(port, bytes) {
  const socket = net.connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.resume()
  socket.end(bytes)
  await new Promise((resolve) => socket.on('close', resolve))
}

test('whatever comes first, the listener goes on', limit, async (t) => {
  const open = hosts.listen('http://127.0.0.1:0')
  const machine = hosts.listen('http://127.0.0.1:0', { token: 'secret' })
  t.after(() => {
    open.release()
    machine.release()
  })
  const below = random(3)
  const noise = (length) => Buffer.from(Array.from({ length }, () => below(256)))
  const hello = masked(Buffer.from(helloFrame()))
  const asking = masked(Buffer.from(helloFrame({}, noise(32))))
  const cases = [
    Buffer.alloc(0),
    Buffer.from('\r\n\r\n'),
    Buffer.alloc(100_000, 'a'),
    Buffer.from(`GET / HTTP/1.1\r\n${'a: b\r\n'.repeat(10_000)}\r\n`),
    Buffer.concat([request, masked(Buffer.alloc(0), { opcode: 8 })]),
    Buffer.concat([request, masked(Buffer.alloc(200), { opcode: 9 })]),
    Buffer.concat([request, masked(Buffer.alloc(10), { opcode: 3 })]),
    Buffer.concat([request, Buffer.from([0x82, 0x05, 1, 2, 3, 4, 5])]),
    Buffer.concat([request, Buffer.from([0xf2, 0x80, 0, 0, 0, 0])]),
    Buffer.concat([request, Buffer.from([0x82, 0xff, ...Array(8).fill(255), 0, 0, 0, 0])]),
  ]
  for (let i = 0; i < 150; i++) {
    const prefix = [Buffer.alloc(0), request, Buffer.concat([request, hello])][i % 3]
    cases.push(Buffer.concat([prefix, noise(below(300))]))
    const changed = Buffer.concat([request, hello])
    changed[below(changed.length)] = below(256)
    cases.push(changed)
    cases.push(Buffer.concat([request, masked(noise(1 + below(200)))]))
    cases.push(Buffer.concat([request, hello, masked(noise(1 + below(200)))]))
    const proof = [masked(noise(1 + below(60))), masked(Buffer.from(proofFrame(noise(32))))]
    cases.push(Buffer.concat([request, asking, proof[i % 2]]))
  }
  for (let at = 0; at < cases.length; at += 50) {
    const some = cases.slice(at, at + 50)
    const ports = [open.port, machine.port]
    await Promise.all(ports.flatMap((port) => some.map((bytes) => throwAt(port, bytes))))
  }
  const joined = hosts.join(`http://127.0.0.1:${machine.port}/`, { token: 'secret' })
  assert.equal(await new Memory(joined).increment('n'), 1)
  joined.close()
  const socket = new WebSocket(`ws://127.0.0.1:${machine.port}${PATH}data/`, SUBPROTOCOL)
  await once(socket, 'open')
  socket.terminate()
})

test('a client of an app is none of the link, and the other way round', limit, async (t) => {
  const machine = hosts.listen('http://127.0.0.1:0')
  t.after(() => machine.release())
  const socket = new WebSocket(`ws://127.0.0.1:${machine.port}/socketcluster/`)
  const [error] = await once(socket, 'error')
  assert.match(error.message, /404/)

  const server = http.createServer()
  const app = es.attach(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.after(async () => {
    server.closeAllConnections()
    server.close()
    await app.close()
  })
  const joined = hosts.join(`http://127.0.0.1:${server.address().port}/`, { connectTimeout: 300 })
  assert.equal(joined.local, false)
  await assert.rejects(joined.ready, { code: 'ERR_NC_CONNECT' })
  joined.close()
})
