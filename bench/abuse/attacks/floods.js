'use strict'

// Many connections, and many packets.

const crypto = require('node:crypto')
const { setTimeout: sleep } = require('node:timers/promises')
const { Client, open } = require('../client')
const { manyFrames } = require('../frames')
const { exactly, outcomeOf, sumOf } = require('./outcomes')

const CONNECTIONS = 10_000
/** Connections of a process that are being opened. */
const AT_ONCE = 64
/** After so many milliseconds the server is late to close a connection. */
const LATE = 11_000
/** So long an attacker waits for that after its last connection. */
const PATIENCE = 15_000

/** Calls `begin` for each number, so many at a time. */
async function inParallel(count, begin) {
  let next = 0
  const line = async () => {
    while (next < count) await begin(next++)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, line))
}

/** The share of a process. */
const shareOf = (total, { part, parts }) =>
  Math.floor(total / parts) + (part < total % parts ? 1 : 0)

async function prepareHandshakes(where) {
  return async () => {
    let connected = 0
    await inParallel(shareOf(CONNECTIONS, where), async () => {
      const client = await open(where.port)
      if (!client.gone()) connected++
    })
    return { connected }
  }
}

/** Connections that go so far and no further, until the server has closed them. */
const idle = (begin) =>
  async function prepare(where) {
    return async () => {
      const clients = []
      const ends = []
      let late = 0
      await inParallel(shareOf(CONNECTIONS, where), async () => {
        const client = await new Client(where.port).connect()
        const start = performance.now()
        const end = client.until(() => false)
        ends.push(end.then(() => (late += performance.now() - start > LATE ? 1 : 0)))
        clients.push(client)
        await begin(client)
      })
      await Promise.race([Promise.all(ends), sleep(PATIENCE)])
      const open = clients.filter((client) => !client.gone()).length
      const outcome = sumOf(clients.map((client) => outcomeOf(client)))
      clients.forEach((client) => client.destroy())
      return { ...outcome, ...(open > 0 && { open }), ...(late > 0 && { 'too late': late }) }
    }
  }

function halfRequest(client) {
  client.write('GET /socketcluster/ HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ')
  const timer = setInterval(() => {
    if (client.gone() || !client.write('x')) clearInterval(timer)
  }, 1000)
}

/** Packets in messages of their own, until they are all answered. */
const packets = (count, text, last) =>
  async function prepare({ port }) {
    const client = await open(port)
    const pieces = [...manyFrames(count, text)]
    const answers = last ? 1 : count
    return async () => {
      await client.writeAll(pieces)
      if (last) client.send(last)
      await client.until((it) => it.answers === answers)
      return outcomeOf(client, { answers: client.answers })
    }
  }

/** A token that somebody else has signed. */
function forgedToken(n) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const text = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ user: n, exp: 4e9 })}`
  return `${text}.${crypto.createHmac('sha256', 'guessed').update(text).digest('base64url')}`
}

const authenticate = (n) => `{"event":"#authenticate","data":"${forgedToken(n)}","cid":${1000 + n}}`
const subscribe = (n) => `{"event":"#subscribe","data":{"channel":"c${n}"},"cid":${1000 + n}}`
const publish = (n) => `{"event":"#publish","data":{"channel":"nobody","data":${n}}}`
const handshake = (n) => `{"event":"#handshake","data":{},"cid":${1000 + n}}`
const LAST = '{"event":"#subscribe","data":{"channel":"c"},"cid":2}'

const everybody = exactly({ connected: CONNECTIONS })

module.exports = {
  subscriptions: {
    title: '100,000 subscriptions of one socket',
    app: 'full',
    prepare: packets(100_000, subscribe),
    bars: { wait: 50, seconds: 1, outcome: exactly({ answers: 100_000 }) },
  },
  tokens: {
    title: '20,000 forged tokens',
    app: 'full',
    prepare: packets(20_000, authenticate),
    bars: { wait: 100, cpu: 2, outcome: exactly({ answers: 20_000 }) },
  },
  'handshakes-again': {
    title: '5000 handshakes of one socket',
    app: 'full',
    prepare: packets(5000, handshake),
    bars: {
      wait: 100,
      peak: 100,
      // The attacker and the canary.
      outcome: ({ answers }, after) => answers === 5000 && after.clients === 2,
    },
  },
  publications: {
    title: '1 million publications',
    app: 'full',
    prepare: packets(1_000_000, publish, LAST),
    bars: { wait: 100, seconds: 2, outcome: exactly({ answers: 1 }) },
  },
  flood: {
    title: '10,000 handshakes from 4 processes',
    app: 'full',
    attackers: 4,
    prepare: prepareHandshakes,
    bars: { wait: 100, seconds: 2.5, outcome: everybody },
  },
  'flood-lean': {
    title: '10,000 handshakes, no listener in the app',
    app: 'lean',
    attackers: 4,
    prepare: prepareHandshakes,
    bars: { wait: 100, seconds: 2.5, peak: 150, outcome: everybody },
  },
  upgrades: {
    title: '10,000 upgrades without a handshake',
    app: 'lean',
    prepare: idle((client) => client.upgrade()),
    bars: { wait: 100, peak: 100, outcome: exactly({ 'closed 4005': CONNECTIONS }) },
  },
  slowloris: {
    title: '10,000 requests that never end',
    app: 'lean',
    listen: true,
    prepare: idle(halfRequest),
    bars: { wait: 100, outcome: exactly({ 'cut off': CONNECTIONS }) },
  },
}
