'use strict'

// A disk that gets full: durable publishes are refused, everything else goes on, and nothing that was
// acknowledged is lost.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { eventually } = require('../support/events')
const { chaosTest, withDirectory } = require('./support/chaos-test')
const { checkLog } = require('./support/check-log')
const { Journal } = require('./support/journal')
const { LightClient } = require('./support/light-client')
const { Log, reader } = require('./support/log')
const { ServerProcess } = require('./support/server-process')

const DURABLE = 'durable/a'
const HISTORY = 'history/b'
const SIZE = '8m'
const BALLAST = 3 << 20
/** Of a message; each is another one, so that ids tell them apart. */
const FILLING = 'x'.repeat(16_000)
const KEPT = { size: 100_000, bytes: 1 << 30 }

function mounted() {
  if (process.platform !== 'linux' || process.getuid() !== 0) return 'mounting takes root on Linux'
  const { status, stderr } = spawnSync('mount', ['--version'])
  return status === 0 ? false : `there is no mount: ${stderr}`
}

/** Calls `use` with a folder that is a small file system of its own; skips the test if that cannot be. */
async function withSmallDisk(t, use) {
  await withDirectory(async (directory) => {
    const line = ['-t', 'tmpfs', '-o', `size=${SIZE}`, 'tmpfs', directory]
    const { status, stderr } = spawnSync('mount', line, { encoding: 'utf8' })
    if (status !== 0) return t.skip(`mount: ${stderr.trim()}`)
    try {
      await use(directory)
    } finally {
      spawnSync('umount', ['--lazy', directory])
    }
  })
}

/** A client that publishes, and notes what it sees. */
class Watcher {
  constructor(server) {
    this.journal = new Journal('watcher')
    this.plain = 0
    this.acked = new Map()
    this.client = new LightClient(server.port, ({ event, data }) => {
      if (event !== '#publish') return
      if (data.epoch) this.journal.message(data.channel, data)
      else this.plain++
    })
  }

  async connect() {
    await this.client.connect()
    for (const channel of [DURABLE, HISTORY, 'plain']) {
      const answer = await this.client.call('#subscribe', { channel })
      if (answer?.epoch) this.journal.subscribed(channel, null, { ...answer, recovered: false })
    }
    return this
  }

  /** Publishes to the durable channel; resolves to the code of the error if there is one. */
  async publish(number) {
    const id = `${number}:${FILLING}`
    try {
      const answer = await this.client.call('#publish', {
        channel: DURABLE,
        data: id,
        key: String(number),
      })
      this.acked.set(id, { channel: DURABLE, ...answer })
      return null
    } catch (error) {
      return error.code
    }
  }

  async faults(log) {
    await log.read(this.client)
    return checkLog(log, [this], [this.journal])
  }
}

/** Publishes until the disk is full; resolves to the number that did not fit. */
async function fill(watcher) {
  for (let number = 0; number < 2000; number++) {
    const code = await watcher.publish(number)
    if (code === null) continue
    assert.equal(code, 'ERR_STORAGE')
    return number
  }
  throw new Error('the disk does not get full')
}

async function othersGoOn(watcher) {
  const { client, journal, plain } = watcher
  const answer = await client.call('#publish', { channel: HISTORY, data: 'kept in memory' })
  assert.ok(answer.offset >= 1)
  await client.call('#publish', { channel: 'plain', data: 'on' })
  await eventually(() => watcher.plain === plain + 1, 'message of the plain channel')
  const arrived = () => journal.positions.get(HISTORY).offset === answer.offset
  await eventually(arrived, 'message of the history channel')
}

chaosTest('a full disk', { skip: mounted() }, async (t) => {
  await withSmallDisk(t, async (disk) => {
    const ballast = path.join(disk, 'ballast')
    fs.writeFileSync(ballast, Buffer.alloc(BALLAST))
    const server = new ServerProcess({
      streams: [
        { match: 'durable/*', class: 'durable', ...KEPT },
        { match: 'history/*', class: 'history' },
      ],
      storage: { directory: path.join(disk, 'log') },
    })
    await server.start()
    try {
      const watcher = await new Watcher(server).connect()
      const number = await fill(watcher)
      for (let again = 0; again < 5; again++) {
        assert.equal(await watcher.publish(number), 'ERR_STORAGE')
        await othersGoOn(watcher)
      }
      const log = new Log(DURABLE)
      assert.deepEqual(await watcher.faults(log), [], 'while it is full')
      assert.equal(log.head, number)

      fs.rmSync(ballast)
      await eventually(async () => (await watcher.publish(number)) === null, 'an answer', 10_000)
      for (let more = 1; more <= 50; more++)
        assert.equal(await watcher.publish(number + more), null)
      assert.deepEqual(await watcher.faults(log), [], 'after there was room again')
      assert.equal(log.head, number + 51)
      t.diagnostic(`${number} messages fitted; ${JSON.stringify(server.errors)}`)

      await server.kill()
      await server.start()
      const client = await reader(new LightClient(server.port), [DURABLE])
      const again = await new Log(DURABLE).read(client)
      assert.deepEqual(checkLog(again, [watcher], [watcher.journal]), [], 'after a restart')
      assert.equal(again.head, number + 51)
      const next = await client.call('#publish', { channel: DURABLE, data: 'after all' })
      assert.equal(next.offset, again.head + 1)
    } finally {
      await server.kill()
    }
  })
})
