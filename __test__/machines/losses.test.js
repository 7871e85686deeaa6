'use strict'

// Workers that end while they have work: the work is done nevertheless, once.

const assert = require('node:assert/strict')
const { execFile, fork, spawnSync } = require('node:child_process')
const { once } = require('node:events')
const path = require('node:path')
const { test } = require('node:test')
const { promisify } = require('node:util')
const { IteratorClass } = require('../../lib/compute/iterator')
const { withManager, within } = require('./support')

const LIBRARY = path.join(__dirname, '..', '..', 'lib', 'machines')
const ITEMS = Array.from({ length: 400 }, (_, n) => n)
const EXPECTED = ITEMS.map((n) => n * 3)
const retries = 1000

/** What runs while workers die around it. */
const slowly = (n) => {
  const end = performance.now() + 2
  while (performance.now() < end);
  return n * 3
}

/** Ends a worker from inside: at the start of a chunk, in its middle, and between an answer and the next. */
const STAGES = {
  'before its first item': (n) => {
    globalThis.seen = (globalThis.seen ?? 0) + 1
    if (globalThis.seen === 1 && Math.random() < 0.5) process.exit(1)
    return n * 3
  },
  'in the middle of a chunk': (n) => {
    globalThis.seen = (globalThis.seen ?? 0) + 1
    if (globalThis.seen === 7 + Math.floor(Math.random() * 40)) process.exit(1)
    return n * 3
  },
  'after an answer': (n) => {
    globalThis.timer ??= setTimeout(() => process.exit(1), Math.random() * 20)
    return n * 3
  },
  'while it waits': async (n) => {
    await new Promise((resolve) => setTimeout(resolve, 1))
    if (Math.random() < 0.02) process.exit(1)
    return n * 3
  },
}

for (const workerType of ['thread', 'process']) {
  for (const [stage, fn] of Object.entries(STAGES)) {
    test(
      `nothing is lost with a worker that ends ${stage} (${workerType})`,
      { timeout: 90_000 },
      async () => {
        await withManager({ workerType, maxWorkers: 3, retries }, async (manager) => {
          const Iterator = new IteratorClass(manager)
          const results = new Iterator(ITEMS).map(fn, { chunkSize: 20 })
          assert.deepEqual(await within(results, 'results', 80_000), EXPECTED)
        })
      },
    )
  }

  test(`nothing is lost with workers that are killed from outside (${workerType})`, async () => {
    await withManager({ workerType, maxWorkers: 3, retries }, async (manager, { lost }) => {
      const Iterator = new IteratorClass(manager)
      const over = new AbortController()
      const results = new Iterator(ITEMS).map(slowly).finally(() => over.abort())
      // From another worker: whichever it meets.
      while (!over.signal.aborted) {
        await Promise.race([manager.broadcast(() => process.exit(9)).catch(() => {}), results])
        await new Promise((resolve) => setTimeout(resolve, 30))
      }
      assert.deepEqual(await results, EXPECTED)
      assert.ok(lost.length > 0)
    })
  })
}

test('an item that ends each of its workers fails its job, and says which it is', async () => {
  await withManager({ maxWorkers: 2, retries: 2 }, async (manager, { lost }) => {
    const Iterator = new IteratorClass(manager)
    const fn = (n) => {
      if (n === 77) process.exit(1)
      return n
    }
    await assert.rejects(new Iterator(ITEMS).map(fn), {
      name: 'TaskError',
      code: 'ERR_NC_WORKER_LOST',
      itemIndex: 77,
      attempts: 3,
    })
    assert.ok(lost.length >= 3 && lost.length <= 4, `${lost.length} workers`)
  })
})

test('a process that was killed tells by what', async () => {
  await withManager({ workerType: 'process', maxWorkers: 1 }, async (manager) => {
    const kill = () => {
      process.kill(process.pid, 'SIGKILL')
      for (;;);
    }
    await assert.rejects(manager.run(kill, [], { retries: 0 }), {
      code: 'ERR_NC_WORKER_LOST',
      message: /SIGKILL/,
    })
  })
})

test('processes end with the one that made them, also in a loop without end', async () => {
  const program = `
    const { Manager } = require(${JSON.stringify(LIBRARY)})
    const manager = new Manager({ workerType: 'process', maxWorkers: 2 })
    manager.on('workerOnline', () => {})
    manager.run(() => process.pid).then(async (idle) => {
      const pid = await manager.run(() => process.pid)
      console.log(idle)
      manager.run(() => { for (;;); }).catch(() => {})
      manager.run(() => { for (;;); }).catch(() => {})
      setTimeout(() => process.kill(process.pid, 'SIGKILL'), 300)
    })`
  const run = promisify(execFile)
  const error = await run(process.execPath, ['-e', program], { timeout: 30_000 }).catch((it) => it)
  assert.equal(error.signal, 'SIGKILL')
  const pid = Number(error.stdout)
  assert.ok(pid > 0)
  await within(gone(pid), 'end of the child', 10_000)
})

test('a process whose maker is gone before it looks ends', async () => {
  const maker = spawnSync(process.execPath, ['--version'])
  const worker = fork(path.join(LIBRARY, 'process-worker.js'), [`${maker.pid}`], {
    stdio: 'ignore',
  })
  const [, signal] = await within(once(worker, 'exit'), 'end of the worker', 20_000)
  assert.equal(signal, 'SIGKILL')
})

async function gone(pid) {
  for (;;) {
    try {
      process.kill(pid, 0)
    } catch {
      return
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

test('jobs fail if no worker starts', async () => {
  const limits = { maxOldGenerationSizeMb: 1, maxYoungGenerationSizeMb: 1 }
  await withManager({ maxWorkers: 1, resourceLimits: limits }, async (manager) => {
    await assert.rejects(
      within(
        manager.run(() => 1),
        'failure',
      ),
      {
        code: 'ERR_NC_NO_WORKERS',
        message: /OUT_OF_MEMORY/,
      },
    )
  })
})

test('a worker that is about to come online when the manager closes is no trouble', async () => {
  for (let wait = 0; wait < 60; wait += 6) {
    await withManager({ maxWorkers: 2 }, async (manager) => {
      const running = manager
        .run(() => 1)
        .catch((error) => assert.equal(error.code, 'ERR_NC_CLOSED'))
      await new Promise((resolve) => setTimeout(resolve, wait))
      await manager.close({ force: true })
      await running
    })
  }
})

test('start() and scale() reject if the manager is closed meanwhile', async () => {
  for (const workerType of ['thread', 'process']) {
    await withManager({ workerType, minWorkers: 2, maxWorkers: 2 }, async (manager) => {
      const starting = assert.rejects(manager.start(), { code: 'ERR_NC_CLOSED' })
      const scaling = assert.rejects(manager.scale(2), { code: 'ERR_NC_CLOSED' })
      await within(manager.close({ force: true }), 'end')
      await within(Promise.all([starting, scaling]), 'rejections')
    })
  }
})

test('the manager of a thread that is terminated leaves nothing behind', async () => {
  const { Worker } = require('node:worker_threads')
  const program = `
    const { parentPort } = require('node:worker_threads')
    const { Manager } = require(${JSON.stringify(LIBRARY)})
    const manager = new Manager({ maxWorkers: 2 })
    manager.run(() => 1).then(() => {
      parentPort.postMessage('ready')
      for (;;) manager.run(() => 1).catch(() => {})
    })`
  for (let n = 0; n < 3; n++) {
    const thread = new Worker(program, { eval: true })
    await once(thread, 'message')
    await within(thread.terminate(), 'end')
  }
})

test('a worker that works for longer than leaseTime gives signs of life', async () => {
  await withManager({ workerType: 'process', maxWorkers: 1, leaseTime: 200 }, async (manager) => {
    const busy = async (ms) => {
      const until = Date.now() + ms
      while (Date.now() < until);
      await new Promise((resolve) => setTimeout(resolve, ms))
      return 'done'
    }
    assert.equal(await manager.run(busy, [500], { retries: 0 }), 'done')
  })
})
