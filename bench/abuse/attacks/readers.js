'use strict'

// Clients that do not read what they asked for.

const { open } = require('../client')
const { OPCODE, header, textFrame } = require('../frames')
const { has, outcomeOf } = require('./outcomes')

const MB = 1024 * 1024
const TOTAL = 400 * MB
const BLOB = 'x'.repeat(64 * 1024)
/** Publications or calls without an answer, so that the publisher is not the slow one. */
const WINDOW = 16

const reasonToCut = (outcome, after) =>
  outcome['cut off'] > 0 && after.warnings.ERR_MAX_BACKPRESSURE > 0

async function prepareSlow({ port }) {
  const [slow, publisher] = await Promise.all([open(port), open(port)])
  slow.send('{"event":"#subscribe","data":{"channel":"much"},"cid":2}')
  await slow.until((it) => it.answers === 1)
  slow.socket.pause()
  const count = TOTAL / BLOB.length
  return async () => {
    for (let n = 0; n < count && !publisher.gone(); n++) {
      const packet = { event: '#publish', data: { channel: 'much', data: BLOB }, cid: n + 2 }
      publisher.send(JSON.stringify(packet))
      await publisher.until((it) => it.answers > n - WINDOW)
    }
    await publisher.until((it) => it.answers === count)
    slow.socket.resume()
    await slow.until(() => slow.deliveries === count)
    return outcomeOf(slow, { MB: Math.round((publisher.answers * BLOB.length) / MB) })
  }
}

/** Calls whose answers nobody reads, until the server reads no more or ends it. */
async function prepareEcho({ port }) {
  const client = await open(port)
  client.socket.pause()
  const call = textFrame(JSON.stringify({ event: 'echo', data: BLOB, cid: 50 }))
  return async () => {
    let taken = 0
    const stuck = () => new Promise((resolve) => setTimeout(resolve, 2000))
    for (let sent = 0; sent < TOTAL && !client.gone(); sent += call.length) {
      if (client.write(call)) continue
      const before = client.socket.bytesWritten - client.socket.writableLength
      await Promise.race([client.drained(), stuck()])
      taken = client.socket.bytesWritten - client.socket.writableLength
      if (taken === before && client.socket.writableLength > 0) break
    }
    client.socket.resume()
    await client.until((it) => it.answers * BLOB.length >= taken)
    return outcomeOf(client)
  }
}

async function preparePings({ port }) {
  const client = await open(port)
  client.socket.pause()
  const ping = Buffer.concat([header(OPCODE.PING, 125), Buffer.alloc(125)])
  const pieces = Array(200).fill(Buffer.concat(Array(1000).fill(ping)))
  return async () => {
    for (const piece of pieces) client.write(piece)
    await new Promise((resolve) => setTimeout(resolve, 1000))
    client.socket.resume()
    client.send('{"event":"#subscribe","data":{"channel":"c"},"cid":60}')
    await client.until((it) => it.answers === 1)
    return outcomeOf(client)
  }
}

module.exports = {
  slow: {
    title: '400 MB published to a client that does not read',
    app: 'full',
    prepare: prepareSlow,
    bars: { wait: 100, growth: 80, outcome: reasonToCut },
  },
  'unread-calls': {
    title: '400 MB of calls from a client that does not read',
    app: 'full',
    prepare: prepareEcho,
    bars: { wait: 100, growth: 80, outcome: has('cut off') },
  },
  'unread-pings': {
    title: '200,000 pings from a client that does not read',
    app: 'full',
    prepare: preparePings,
    bars: { wait: 100, peak: 100 },
  },
}
