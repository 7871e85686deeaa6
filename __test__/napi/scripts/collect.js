'use strict'

// Makes and closes servers, each with one client; tells what has become more by that.

const fs = require('node:fs')
const { eventually, startServer, transportOption } = require('../../support')

const ROUNDS = 200
const TASKS = '/proc/self/task'

const [transport] = process.argv.slice(2)
const servers = []

async function round() {
  const running = await startServer({ ...transportOption(transport), watch: false })
  servers.push(new WeakRef(running.server))
  const { client, socket } = await running.rawPair()
  await client.subscribe('channel')
  await socket.setAuthToken({ user: 'ann' })
  await running.stop()
}

const countThreads = () => (fs.existsSync(TASKS) ? fs.readdirSync(TASKS).length : null)
const countAlive = () => servers.filter((server) => server.deref() !== undefined).length

/** Finalizers run a turn after the collector, and what they let go of is for the next run. */
async function collect() {
  for (let turn = 0; turn < 5; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 10))
    globalThis.gc()
  }
}

async function settled() {
  await eventually(async () => {
    await collect()
    return countAlive() === 0
  }, 'collected servers').catch(() => {})
  return {
    handles: process.getActiveResourcesInfo().length,
    threads: countThreads(),
    heap: process.memoryUsage().heapUsed,
  }
}

async function main() {
  // What is made once, by the first servers.
  for (let n = 0; n < 10; n++) await round()
  const before = await settled()
  for (let n = 0; n < ROUNDS; n++) await round()
  const after = await settled()
  const more = { alive: countAlive() }
  for (const name of Object.keys(before)) {
    more[name] = before[name] === null ? null : after[name] - before[name]
  }
  process.stdout.write(JSON.stringify(more))
}

main()
