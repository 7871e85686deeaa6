'use strict'

// What a durable channel acknowledges or delivers has been synced: the server's system calls are made
// to take long, and to fail.

const assert = require('node:assert/strict')
const { spawn, spawnSync } = require('node:child_process')
const { once } = require('node:events')
const { chaosTest, withDirectory } = require('./support/chaos-test')
const { LightClient } = require('./support/light-client')
const { Log, reader } = require('./support/log')
const { ServerProcess } = require('./support/server-process')

const CHANNEL = 'durable/a'
const SYNCS = 'fdatasync,fsync'
/** Milliseconds. */
const DELAY = 300

/** Why the test cannot run here; false if it can. */
function cannotTrace() {
  if (process.platform !== 'linux') return 'strace is for Linux'
  const { status } = spawnSync('strace', ['-e', 'trace=none', 'true'], { stdio: 'ignore' })
  return status === 0 ? false : 'strace is not installed, or may not trace'
}

/** Calls `use` while the syncs of a process are tampered with. */
async function tampering(pid, how, use) {
  const line = ['-f', '-o', '/dev/null', '-e', `trace=${SYNCS}`, '-e', `inject=${SYNCS}:${how}`]
  const strace = spawn('strace', [...line, '-p', String(pid)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const ended = once(strace, 'exit')
  try {
    let said = ''
    while (!said.includes('attached')) {
      const [more] = await Promise.race([once(strace.stderr, 'data'), ended.then(() => [null])])
      if (more === null) throw new Error(`strace: ${said}`)
      said += more
    }
    return await use()
  } finally {
    strace.kill('SIGINT')
    await ended
  }
}

/** Publishes; resolves to how long answer and delivery took, and the code of an error. */
class Timed {
  async connect(port) {
    this.arrived = new Map()
    this.client = new LightClient(port, ({ event, data }) => {
      if (event === '#publish') this.arrived.set(data.data, performance.now())
    })
    await reader(this.client, [CHANNEL])
    return this
  }

  async publish(data) {
    const began = performance.now()
    const code = await this.client.call('#publish', { channel: CHANNEL, data, key: data }).then(
      () => null,
      (error) => error.code,
    )
    const answered = performance.now() - began
    // Behind this answer comes nothing of the publish any more.
    await this.client.call('#history', { channel: CHANNEL, limit: 1 })
    const arrived = this.arrived.has(data) ? this.arrived.get(data) - began : null
    return { code, answered, arrived }
  }
}

chaosTest('nothing is said before it is on the disk', { skip: cannotTrace() }, async () => {
  await withDirectory(async (directory) => {
    const streams = [{ match: 'durable/*', class: 'durable' }]
    const server = await new ServerProcess({ streams, storage: { directory } }).start()
    try {
      const timed = await new Timed().connect(server.port)
      await tampering(server.pid, `delay_enter=${DELAY * 1000}`, async () => {
        const { code, answered, arrived } = await timed.publish('slow')
        assert.equal(code, null)
        assert.ok(answered >= DELAY - 1 && arrived >= DELAY - 1, `${answered}, ${arrived}`)
      })
      await tampering(server.pid, 'error=EIO', async () => {
        for (let n = 0; n < 2; n++) {
          const { code, arrived } = await timed.publish('failed')
          assert.deepEqual({ code, arrived }, { code: 'ERR_STORAGE', arrived: null })
        }
      })
      assert.equal((await timed.publish('failed')).code, null)
      await server.kill()
      await server.start()
      const log = await new Log(CHANNEL).read(await reader(new LightClient(server.port), [CHANNEL]))
      assert.deepEqual(log.data.slice(1), ['slow', 'failed'])
    } finally {
      await server.kill()
    }
  })
})
