'use strict'

// A consumer of a server that is killed again and again: it gets each message at least once, for the
// first time in order, and goes on where it was.

const assert = require('node:assert/strict')
const { eventually } = require('../support/events')
const { chaosTest, withDirectory } = require('./support/chaos-test')
const { LightClient } = require('./support/light-client')
const { Log, reader } = require('./support/log')
const { Random } = require('./support/random')
const { ServerProcess } = require('./support/server-process')

const ROUNDS = Number(process.env.ES_NETWORKCLUSTER_CHAOS_ROUNDS) || 5
const FROM = 'durable/from'
const TO = 'durable/to'
const MESSAGES = 2000
const AT_ONCE = 64
const KEPT = { size: 10_000_000, bytes: 1 << 30 }

async function publish(client) {
  let next = 1
  const work = async () => {
    while (next <= MESSAGES) await client.call('#publish', { channel: FROM, data: next++ })
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
}

chaosTest(`a consumer whose server is killed ${ROUNDS} times`, async (t) => {
  const random = new Random()
  t.diagnostic(`seed ${random.seed}`)
  await withDirectory(async (directory) => {
    const streams = [{ match: 'durable/*', class: 'durable', ...KEPT }]
    const server = new ServerProcess({ streams, storage: { directory } }, { from: FROM, to: TO })
    await server.start()
    try {
      await publish(await new LightClient(server.port).connect())
      const copies = new Log(TO)
      for (let round = 0; round <= ROUNDS; round++) {
        const client = await reader(new LightClient(server.port), [TO])
        const left = MESSAGES - copies.head
        const enough = copies.head + random.between(1, Math.max(1, Math.floor(left / 4)))
        const wanted = round < ROUNDS ? enough : Infinity
        const copied = async () => {
          await copies.read(client)
          return copies.head >= wanted || copies.data.at(-1)?.offset === MESSAGES
        }
        await eventually(copied, 'copies', 20_000)
        if (round === ROUNDS) break
        await server.kill()
        await server.start()
      }
      const offsets = copies.data.slice(1).map(({ offset }) => offset)
      assert.deepEqual(
        [...new Set(offsets)],
        Array.from({ length: MESSAGES }, (_, n) => n + 1),
      )
      // What was done at a crash while its position was on its way to the disk comes again.
      const again = offsets.length - MESSAGES
      t.diagnostic(`${again} messages came twice`)
      assert.ok(again <= ROUNDS * 10, `${again} came twice`)
      assert.deepEqual(server.errors, [])
    } finally {
      await server.kill()
    }
  })
})
