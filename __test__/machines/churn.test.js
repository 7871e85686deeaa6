'use strict'

// Many workers come and go under load: no crash, and nothing is left of them.
// ES_NETWORKCLUSTER_WORKERS=1000 for as many (100).

const assert = require('node:assert/strict')
const fs = require('node:fs')
const { test } = require('node:test')
const { Manager } = require('../../lib/machines')
const { withManager, within } = require('./support')

const COUNT = Number(process.env.ES_NETWORKCLUSTER_WORKERS || 100)
const isLinux = process.platform === 'linux'

const threads = () => (isLinux ? fs.readdirSync('/proc/self/task').length : 0)
const handles = () => process._getActiveHandles().length
const resident = () => process.memoryUsage.rss() / 2 ** 20
/** In MiB; what V8 keeps for later is not a leak. */
const LEAK = 64

async function settled(count, least) {
  for (let n = 0; n < 500 && count() > least; n++) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return count()
}

test(`${COUNT} workers end while they have work`, { timeout: 600_000 }, async () => {
  await withManager({ maxWorkers: 4, retries: 1000 }, async (manager, { lost }) => {
    assert.equal(await manager.run(() => 1), 1)
    const before = { threads: threads(), handles: handles() }
    let half
    let answers = 0
    let refused = 0
    const load = async () => {
      while (lost.length < COUNT) {
        const sum = await manager.run((list) => list.reduce((a, b) => a + b, 0), [[1, 2, answers]])
        answers += Number(sum >= 3)
        if (half === undefined && lost.length > COUNT / 2) half = resident()
      }
    }
    const kill = async () => {
      while (lost.length < COUNT) {
        await manager.run(() => process.exit(7), [], { retries: 0 }).catch(() => (refused += 1))
      }
    }
    await within(Promise.all([load(), load(), load(), kill(), kill()]), 'end of the load', 590_000)
    assert.ok(answers > COUNT, `${answers} answers`)
    assert.ok(refused > 0)
    await manager.scale(0)
    assert.equal(await settled(handles, before.handles), before.handles)
    assert.ok((await settled(threads, before.threads)) <= before.threads)
    assert.equal(manager.stats().pending, 0)
    assert.equal(manager.stats().active, 0)
    assert.ok(resident() - half < LEAK, `${half} MiB, then ${resident()} MiB`)
  })
})

test('managers come and go', { timeout: 120_000 }, async () => {
  const rounds = Math.ceil(COUNT / 10)
  const life = async () => {
    const manager = new Manager({ minWorkers: 2, maxWorkers: 2 })
    const [answer] = await Promise.all([manager.run((a) => a + 1, [1]), manager.start()])
    assert.equal(answer, 2)
    await manager.close()
  }
  await life()
  const before = { threads: threads(), handles: handles() }
  for (let n = 0; n < rounds; n++) await life()
  assert.equal(await settled(handles, before.handles), before.handles)
  assert.ok((await settled(threads, before.threads)) <= before.threads)
})

test('workers are terminated at any moment of their start', { timeout: 120_000 }, async () => {
  await withManager({ maxWorkers: 8 }, async (manager) => {
    for (let n = 0; n < COUNT / 10; n++) {
      const up = manager.scale(4)
      await new Promise((resolve) => setTimeout(resolve, n % 40))
      await Promise.all([manager.scale(0), up])
    }
    assert.equal(await manager.scale(1).then(() => manager.run(() => 1)), 1)
  })
})
