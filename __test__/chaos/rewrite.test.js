'use strict'

// A log that grows so fast that it is written anew every other second, on a server that is killed every
// now and then: nothing that was acknowledged gets lost with what is forgotten.

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { eventually } = require('../support/events')
const { chaosTest, withDirectory } = require('./support/chaos-test')
const { checkLog } = require('./support/check-log')
const { LightClient } = require('./support/light-client')
const { LightMember } = require('./support/light-member')
const { Log, reader } = require('./support/log')
const { PacedMember } = require('./support/paced-member')
const { Publisher } = require('./support/publisher')
const { Random } = require('./support/random')
const { ServerProcess } = require('./support/server-process')

const ROUNDS = (Number(process.env.ES_NETWORKCLUSTER_CHAOS_ROUNDS) || 5) * 2
const CHANNELS = ['durable/a', 'durable/b']
const PUBLISHERS = 16
const FILLING = 'x'.repeat(30_000)
/** What a channel keeps: 1,100 messages. */
const BYTES = 32 << 20
/** So many are published before it is read on, however long that takes, and those under way. */
const MOST_AHEAD = 1000
const MOST_BETWEEN = 900
/** What the log takes at most, whatever has been published. */
const DISK = 400 << 20

const idOf = (data) => data.slice(0, -FILLING.length)

function diskUse(directory) {
  const files = fs.readdirSync(directory).map((name) => path.join(directory, name))
  return files.reduce((sum, file) => sum + fs.statSync(file).size, 0)
}

chaosTest(`a log that is written anew, killed ${ROUNDS} times`, async (t) => {
  const random = new Random()
  t.diagnostic(`seed ${random.seed}`)
  await withDirectory(async (directory) => {
    const streams = [{ match: 'durable/*', class: 'durable', size: 1_000_000, bytes: BYTES }]
    // Who reads shares a process with those who publish: it may fall behind by all they are allowed.
    const options = { streams, storage: { directory }, maxBackpressure: 0 }
    const server = await new ServerProcess(options).start()
    const logs = CHANNELS.map((channel) => new Log(channel, idOf))
    const light = new LightMember(server.port, (id) => id + FILLING)
    const member = new PacedMember(light, logs, MOST_AHEAD)
    const full = () => CHANNELS.every((channel) => member.isFull(channel))
    const publishers = Array.from({ length: PUBLISHERS }, (_, n) => {
      return new Publisher(`${n}`, member, CHANNELS[n % CHANNELS.length], random)
    })
    const acked = () => publishers.reduce((sum, publisher) => sum + publisher.acked.size, 0)
    const check = async () => {
      const before = publishers.map((publisher) => ({ acked: new Map(publisher.acked) }))
      const client = await reader(new LightClient(server.port), CHANNELS)
      for (const log of logs) await log.read(client)
      client.destroy()
      member.goOn()
      return logs.flatMap((log) => checkLog(log, before, []))
    }
    try {
      for (let round = 0; round < ROUNDS; round++) {
        const enough = acked() + random.between(1, MOST_BETWEEN)
        await eventually(() => acked() >= enough || full(), 'answers', 30_000)
        await server.kill()
        await server.start()
        assert.deepEqual((await check()).slice(0, 10), [], `round ${round}`)
      }
      // Each is to end what is under way.
      member.release()
      await Promise.all(publishers.map((publisher) => publisher.stop()))
      assert.deepEqual((await check()).slice(0, 10), [])
      assert.deepEqual(
        publishers.flatMap((publisher) => publisher.violations),
        [],
      )
      // As long as it lives it makes, renames and deletes files, also when nobody publishes.
      await server.kill()
      const took = diskUse(directory)
      t.diagnostic(`${acked()} publishes, ${(took / 1e6).toFixed()} MB on the disk`)
      assert.ok(took < DISK)
      assert.deepEqual(server.errors, [])
    } finally {
      for (const publisher of publishers) publisher.abandon()
      member.close()
      await server.kill()
    }
  })
})
