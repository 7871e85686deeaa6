'use strict'

// Timers of a server that is killed while they run: each fires once, and in time.

const assert = require('node:assert/strict')
const { eventually } = require('../support/events')
const { chaosTest, withDirectory } = require('./support/chaos-test')
const { LightClient } = require('./support/light-client')
const { Log, reader } = require('./support/log')
const { Load } = require('./support/load')
const { Random } = require('./support/random')
const { ServerProcess } = require('./support/server-process')

const LONG = Boolean(process.env.ES_NETWORKCLUSTER_CHAOS_LONG)
const TIMERS = Number(process.env.ES_NETWORKCLUSTER_CHAOS_TIMERS) || 2000
const SPAN = TIMERS > 10_000 ? 60_000 : 3000
/** Publishes per second of the load. */
const RATE = 20_000
/** Milliseconds that 99 % may be late at most; elsewhere than on a machine of one's own much comes between. */
const LATE = LONG ? { idle: 2, load: 20 } : { idle: 100, load: 250 }
const CHANNEL = 'due/all'
const KEPT = { size: 1_000_000, bytes: 1 << 29 }

const streams = [
  { match: 'due/*', class: 'durable', ...KEPT },
  { match: 'soon/*', class: 'history', ...KEPT },
  { match: 'busy/*', class: 'history' },
]

/** Sets timers through the protocol, half of them, and through the server's scheduler. */
async function setTimers(server, client, random) {
  const due = new Map()
  const delays = Array.from({ length: TIMERS }, () => random.between(0, SPAN))
  const byClient = delays.slice(0, TIMERS / 2)
  await Promise.all(
    byClient.map(async (delay, n) => {
      const answer = await client.call('#publish', { channel: CHANNEL, data: n, delay })
      due.set(n, answer.due)
    }),
  )
  const byApp = delays.slice(TIMERS / 2)
  const timers = byApp.map((delay, n) => [
    'after',
    delay,
    { channel: CHANNEL, data: byClient.length + n },
  ])
  for (let from = 0; from < timers.length; from += 1000) {
    const some = await server.call('schedule', timers.slice(from, from + 1000))
    some.forEach((answer, n) => due.set(byClient.length + from + n, answer.due))
  }
  return due
}

chaosTest(`${TIMERS} timers of a server that is killed meanwhile`, async (t) => {
  const random = new Random()
  t.diagnostic(`seed ${random.seed}`)
  await withDirectory(async (directory) => {
    const server = new ServerProcess({ streams, storage: { directory }, streamMemory: 1 << 30 })
    await server.start()
    try {
      const client = await reader(new LightClient(server.port), [CHANNEL])
      const due = await setTimers(server, client, random)
      const last = Math.max(...due.values())
      const log = new Log(CHANNEL)
      const third = last - (SPAN * 2) / 3
      await eventually(() => Date.now() >= third, 'a third of the timers', SPAN)
      const killed = Date.now()
      await server.kill()
      await server.start()
      const again = await reader(new LightClient(server.port), [CHANNEL])
      const all = async () => (await log.read(again)).head >= TIMERS && Date.now() > last + 200
      await eventually(all, 'all timers', SPAN + 20_000).catch((error) => {
        throw new Error(`${error.message}: ${log.head} of ${TIMERS}`)
      })
      await log.read(again)
      const fired = new Map()
      for (const number of log.data.slice(1)) fired.set(number, (fired.get(number) ?? 0) + 1)
      const wrong = [...due.keys()].filter((number) => fired.get(number) !== 1)
      assert.deepEqual(wrong.slice(0, 10), [], 'fired not once')
      assert.equal(log.head, TIMERS)
      assert.deepEqual(log.violations, [])
      t.diagnostic(`${before(log, killed)} fired before the crash, ${TIMERS} in all`)
      assert.deepEqual(early(log, due).slice(0, 10), [])
      assert.deepEqual((await server.call('timers', 10)).timers, [])
    } finally {
      await server.kill()
    }
  })
})

const before = (log, time) => log.timestamps.filter((timestamp) => timestamp < time).length

/** Where timers fired before they were due; two clocks that go alike may be a millisecond or two apart. */
function early(log, due) {
  const offsets = log.data.keys()
  return [...offsets]
    .slice(1)
    .filter((offset) => log.timestamps[offset] < due.get(log.data[offset]) - 2)
}

for (const kind of ['idle', 'load']) {
  chaosTest(`how late timers are: ${kind}`, async (t) => {
    const server = new ServerProcess({ streams: streams.slice(1) })
    await server.start()
    const load = kind === 'load' ? new Load(server.port, RATE) : null
    try {
      await load?.ready
      const lateness = []
      const due = new Map()
      const client = new LightClient(server.port, ({ event, data }) => {
        if (event === '#publish')
          lateness.push([data.data, performance.timeOrigin + performance.now()])
      })
      await reader(client, ['soon/a'])
      const random = new Random()
      const timers = LONG ? 5000 : 500
      await Promise.all(
        Array.from({ length: timers }, async (_, n) => {
          const delay = random.between(500, LONG ? 10_000 : 2000)
          const answer = await client.call('#publish', { channel: 'soon/a', data: n, delay })
          due.set(n, answer.due)
        }),
      )
      await eventually(() => lateness.length >= timers, 'all timers', 20_000)
      const sorted = lateness.map(([n, at]) => at - due.get(n)).sort((a, b) => a - b)
      const at = (share) => sorted[Math.min(timers - 1, Math.floor(timers * share))]
      const text = [0, 0.5, 0.99, 1].map((share) => at(share).toFixed(2))
      const rate = load ? `, beside ${Math.round(await load.end())} publishes/s` : ''
      t.diagnostic(`first, median, p99, last: ${text.join(', ')} ms${rate}`)
      assert.equal(new Set(lateness.map(([n]) => n)).size, timers)
      assert.equal(lateness.length, timers)
      assert.ok(at(0) >= -2, `${at(0)} ms early`)
      assert.ok(at(0.99) <= LATE[kind], `${at(0.99)} ms late`)
    } finally {
      load?.close()
      await server.kill()
    }
  })
}
