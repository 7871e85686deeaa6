'use strict'

// A server that is killed again and again while clients publish and listen: nothing that was
// acknowledged on a durable channel is lost, nothing comes twice, and a gap is told of.

const assert = require('node:assert/strict')
const { eventually } = require('../support/events')
const { checkLog } = require('./support/check-log')
const { KeptMember } = require('./support/kept-member')
const { LightClient } = require('./support/light-client')
const { Log, reader } = require('./support/log')
const { Publisher } = require('./support/publisher')
const { Random } = require('./support/random')
const { ServerProcess } = require('./support/server-process')
const { StockMember } = require('./support/stock-member')
const { chaosTest, withDirectory } = require('./support/chaos-test')

const ROUNDS = Number(process.env.ES_NETWORKCLUSTER_CHAOS_ROUNDS) || 5
const MEMBERS = 8
const DURABLE = ['durable/a', 'durable/b']
const HISTORY = 'history/c'
const CHANNELS = [...DURABLE, HISTORY]
/** Everything that a test publishes, so that all of it can be compared in the end. */
const KEPT = { size: 10_000_000, bytes: 1 << 30 }

class Cluster {
  constructor(server, random) {
    this.server = server
    this.random = random
    this.logs = DURABLE.map((channel) => new Log(channel))
    this.members = []
    this.publishers = []
  }

  populate() {
    const { port } = this.server
    for (let n = 0; n < MEMBERS; n++) {
      const Member = n % 2 === 0 ? StockMember : KeptMember
      const member = new Member(`${Member.name}-${n}`, port, CHANNELS)
      this.members.push(member)
      for (const channel of CHANNELS) {
        this.publishers.push(new Publisher(`${n}-${channel}`, member, channel, this.random))
      }
    }
  }

  acked() {
    return this.publishers.reduce((sum, { acked }) => sum + acked.size, 0)
  }

  /** Kills the server once some number of publishes have been answered, and starts it again. */
  async crash() {
    const enough = this.acked() + this.random.between(20, 1500)
    await eventually(() => this.acked() >= enough, 'answers to publishes', 30_000)
    await this.server.kill()
    await this.server.start()
    const all = () => this.members.every((member) => member.current)
    await eventually(all, 'subscriptions after the restart', 20_000)
  }

  /** What is acknowledged and seen before the log is read must be in it. */
  async check() {
    const acked = this.publishers.map((publisher) => ({ acked: new Map(publisher.acked) }))
    await this.readLogs()
    return this.logs.flatMap((log) => checkLog(log, acked, []))
  }

  async readLogs() {
    const client = await reader(new LightClient(this.server.port), DURABLE)
    for (const log of this.logs) await log.read(client)
    client.destroy()
  }

  /** Lets everything under way arrive, and compares what all have seen. */
  async finish() {
    await Promise.all(this.publishers.map((publisher) => publisher.stop()))
    await this.readLogs()
    for (const { epoch, head, channel } of this.logs) {
      const arrived = ({ journal }) => {
        const at = journal.positions.get(channel)
        return at?.epoch === epoch && at.offset >= head
      }
      await eventually(
        () => this.members.every(arrived),
        `everybody at the head of ${channel}`,
        20_000,
      )
    }
    const journals = this.members.map((member) => member.journal)
    return [
      ...this.logs.flatMap((log) => checkLog(log, this.publishers, journals)),
      ...journals.flatMap((journal) => journal.faults()),
      ...this.publishers.flatMap((publisher) => publisher.violations),
      ...lostOnDurable(journals),
    ]
  }

  close() {
    for (const publisher of this.publishers) publisher.abandon()
    for (const member of this.members) member.close()
  }
}

/** Durable channels are recovered every time. */
function lostOnDurable(journals) {
  return journals.flatMap(({ name, seen }) =>
    DURABLE.filter(
      (channel) => new Set((seen.get(channel) ?? []).map((it) => it.epoch)).size > 1,
    ).map((channel) => `${name} ${channel}: more than one epoch`),
  )
}

chaosTest(`a server killed ${ROUNDS} times under load`, async (t) => {
  const random = new Random()
  t.diagnostic(`seed ${random.seed}`)
  await withDirectory(async (directory) => {
    const server = new ServerProcess({
      streams: [
        { match: 'durable/*', class: 'durable', ...KEPT },
        { match: 'history/*', class: 'history', ...KEPT },
      ],
      streamMemory: 2 ** 31,
      storage: { directory },
    })
    await server.start()
    const cluster = new Cluster(server, random)
    try {
      cluster.populate()
      for (let round = 0; round < ROUNDS; round++) {
        await cluster.crash()
        assert.deepEqual((await cluster.check()).slice(0, 10), [], `round ${round}`)
      }
      assert.deepEqual((await cluster.finish()).slice(0, 10), [])
      assert.deepEqual(server.errors, [])
      t.diagnostic(summary(cluster))
    } finally {
      cluster.close()
      await server.kill()
    }
  })
})

function summary({ publishers, members, logs }) {
  const sum = (list, figure) => list.reduce((total, each) => total + figure(each), 0)
  return [
    `${sum(publishers, (each) => each.acked.size)} publishes answered`,
    `${sum(publishers, (each) => each.retries)} retries`,
    `${sum(logs, (log) => log.head)} messages in the logs`,
    `${sum(members, ({ journal }) => journal.recovered)} recoveries`,
    `${sum(members, ({ journal }) => journal.lost)} gaps told of`,
  ].join(', ')
}
