'use strict'

const assert = require('node:assert/strict')
const { execFile } = require('node:child_process')
const { once } = require('node:events')
const path = require('node:path')
const { test } = require('node:test')
const { promisify } = require('node:util')
const { Worker } = require('node:worker_threads')
const { IteratorClass } = require('../../lib/compute/iterator')
const { Manager } = require('../../lib/machines')
const { until, withManager, within } = require('./support')

const LIBRARY = path.join(__dirname, '..', '..', 'lib', 'machines')

for (const workerType of ['thread', 'inline']) {
  test(`functions are called in workers (${workerType})`, async () => {
    await withManager({ workerType, maxWorkers: 1 }, async (manager) => {
      assert.equal(await manager.run((a, b) => a + b, [1, 2]), 3)
      assert.equal(await manager.run('(a, b) => a * b', [2, 3]), 6)
      assert.equal(await manager.run(async (a) => a, ['grüße 🎉']), 'grüße 🎉')
      assert.deepEqual(
        await manager.run((x) => x, [new Map([[1, new Date(0)]])]),
        new Map([[1, new Date(0)]]),
      )
      assert.equal(await manager.run(() => {}), undefined)
      const { workers, idle, active, pending, completed, failed, role } = manager.stats()
      assert.deepEqual(
        { workers, idle, active, pending, completed, failed, role },
        { workers: 1, idle: 1, active: 0, pending: 0, completed: 5, failed: 0, role: 'manager' },
      )
    })
  })
}

test('there is no worker before there is work', async () => {
  await withManager({ maxWorkers: 2 }, async (manager, { online }) => {
    await manager.start()
    assert.equal(manager.stats().workers, 0)
    await manager.run(() => 1)
    assert.equal(online.length, 1)
    assert.equal(online[0].kind, 'thread')
  })
})

test('start() has the least number of workers online', async () => {
  await withManager({ minWorkers: 2, maxWorkers: 3 }, async (manager, { online }) => {
    assert.equal(await manager.start(), manager)
    assert.equal(manager.start(), manager.start())
    assert.equal(online.length, 2)
    assert.equal(manager.stats().workers, 2)
  })
})

test('workers are made as work waits, up to the most there may be', async () => {
  await withManager({ maxWorkers: 3 }, async (manager, { online }) => {
    const wait = () => new Promise((resolve) => setTimeout(resolve, 50))
    const spin = () => {
      const end = Date.now() + 100
      while (Date.now() < end);
    }
    await Promise.all([wait, spin, spin, spin, spin, spin, spin].map((fn) => manager.run(fn)))
    assert.ok(online.length >= 2 && online.length <= 3, `${online.length} workers`)
  })
})

test('scale() makes more and lets go', async () => {
  await withManager({ maxWorkers: 1 }, async (manager) => {
    await manager.scale({ min: 3, max: 4 })
    assert.equal(manager.stats().workers, 3)
    await manager.scale(1)
    assert.equal(manager.stats().workers, 1)
    await manager.scale(0)
    assert.equal(manager.stats().workers, 0)
    const running = manager.run(() => 7)
    await manager.scale(2)
    assert.equal(await running, 7)
    assert.equal(manager.stats().workers, 2)
  })
})

test('who retires finishes what it has', async () => {
  await withManager({ minWorkers: 2, maxWorkers: 2 }, async (manager, { lost }) => {
    await manager.start()
    const running = [1, 2, 3, 4].map((n) =>
      manager.run(
        async (n) => {
          await new Promise((resolve) => setTimeout(resolve, 100))
          return n
        },
        [n],
      ),
    )
    await manager.scale({ min: 1, max: 1 })
    assert.deepEqual(await Promise.all(running), [1, 2, 3, 4])
    assert.deepEqual(lost, [])
    assert.equal(manager.stats().retried, 0)
  })
})

test('an idle worker ends, and another one is made when there is work again', async () => {
  await withManager({ maxWorkers: 2, idleTimeout: 60 }, async (manager) => {
    assert.equal(await manager.run(() => 1), 1)
    assert.equal(manager.stats().workers, 1)
    const alive = setInterval(() => {}, 1000)
    while (manager.stats().workers > 0) await new Promise((resolve) => setTimeout(resolve, 10))
    clearInterval(alive)
    assert.equal(await manager.run(() => 2), 2)
  })
})

test('a registered function is called by itself, by its name, or as it is', async () => {
  await withManager({ maxWorkers: 1 }, async (manager) => {
    const add = manager.register((a, b) => a + b, { name: 'math.add' })
    assert.equal(add.name, 'math.add')
    assert.match(add.hash, /^[0-9a-f]{64}$/)
    assert.equal(add.mode, 'sync-loop')
    assert.match(add.source, /a \+ b/)
    assert.equal(await add(1, 2), 3)
    assert.equal(await manager.run('math.add', [2, 3]), 5)
    assert.equal(await manager.run(add, [3, 4]), 7)
    const wait = manager.register(async () => {
      await new Promise((resolve) => setTimeout(resolve, 1))
    })
    assert.equal(wait.mode, 'async')
    assert.equal(manager.register((a, b) => a + b, { name: 'math.add' }).hash, add.hash)
    assert.throws(() => manager.register((a) => a, { name: 'math.add' }), {
      code: 'ERR_NC_INVALID_ARG',
    })
    for (const name of ['', 'a b', 'x'.repeat(300), '(', 3]) {
      assert.throws(() => manager.register(() => 1, { name }), { code: 'ERR_NC_INVALID_ARG' })
    }
  })
})

test('names of the language are names like others', async () => {
  await withManager({ maxWorkers: 1 }, async (manager) => {
    for (const name of ['__proto__', 'constructor', 'toString']) {
      manager.register(`() => '${name} it is'`, { name })
      assert.equal(await manager.run(name), `${name} it is`)
    }
    assert.equal({}.polluted, undefined)
  })
})

test('globals are for one call or for a registered function', async () => {
  await withManager({ maxWorkers: 1 }, async (manager) => {
    const source = '() => typeof somethingElse'
    await assert.rejects(manager.run('() => somethingElse'), { code: 'ERR_NC_CAPTURED_VARIABLES' })
    const options = { globals: ['somethingElse'] }
    assert.equal(await manager.run(source, [], options), 'undefined')
    assert.equal(await manager.register(source, options)(), 'undefined')
  })
})

test('what cannot be called is refused before anything is sent', async () => {
  const captured = 3
  await withManager({ maxWorkers: 1 }, async (manager, { online }) => {
    await assert.rejects(manager.run(), { code: 'ERR_NC_NOT_A_FUNCTION' })
    await assert.rejects(manager.run(4), { code: 'ERR_NC_NOT_A_FUNCTION' })
    await assert.rejects(
      manager.run(() => captured),
      { code: 'ERR_NC_CAPTURED_VARIABLES' },
    )
    await assert.rejects(
      manager.run(() => 1, 'x'),
      { code: 'ERR_NC_INVALID_ARG' },
    )
    await assert.rejects(
      manager.run(() => 1, [], { chunkSize: 3 }),
      { code: 'ERR_NC_INVALID_ARG' },
    )
    await assert.rejects(
      manager.run(() => 1, [], { retrys: 3 }),
      { code: 'ERR_NC_INVALID_ARG' },
    )
    await assert.rejects(
      manager.run(() => 1, [() => 1]),
      { code: 'ERR_NC_INVALID_VALUE' },
    )
    await assert.rejects(manager.run(Math.max, [1]), { code: 'ERR_NC_FUNCTION_SOURCE' })
    assert.throws(() => manager.register('3 +'), { code: 'ERR_NC_FUNCTION_SOURCE' })
    assert.deepEqual(online, [])
  })
})

test('broadcast() reaches each worker once', async () => {
  await withManager({ minWorkers: 3, maxWorkers: 3 }, async (manager) => {
    await manager.start()
    const fn = (by) => {
      globalThis.calls = (globalThis.calls ?? 0) + by
      return globalThis.calls
    }
    assert.deepEqual(await manager.broadcast(fn, [1]), [1, 1, 1])
    assert.deepEqual(await manager.broadcast(fn, [10]), [11, 11, 11])
    await assert.rejects(
      manager.broadcast(() => process.exit(1), []),
      { code: 'ERR_NC_WORKER_LOST' },
    )
  })
})

test('an aborted call is over at once', async () => {
  await withManager({ maxWorkers: 1 }, async (manager) => {
    const abort = new AbortController()
    const running = manager.run(() => new Promise(() => {}), [], { signal: abort.signal })
    await once(manager, 'workerOnline')
    abort.abort(new Error('enough'))
    await assert.rejects(running, { name: 'AbortError' })
    assert.equal(await manager.run(() => 1), 1)
    await assert.rejects(
      manager.run(() => 1, [], { signal: AbortSignal.abort() }),
      { name: 'AbortError' },
    )
  })
})

test('a call that is aborted before it is submitted is over at once', async () => {
  await withManager({ maxWorkers: 1 }, async (manager) => {
    for (const turns of [0, 1, 2, 3, 4]) {
      const abort = new AbortController()
      const running = manager.run(() => new Promise(() => {}), [], { signal: abort.signal })
      const rejected = assert.rejects(running, { name: 'AbortError' })
      for (let turn = 0; turn < turns; turn++) await Promise.resolve()
      abort.abort()
      await within(rejected, 'end')
    }
  })
})

test('more than maxQueue is refused; those who ask first are told when to pause', async () => {
  await withManager({ maxWorkers: 1, maxQueue: 100 }, async (manager) => {
    const told = []
    manager.on('needsDrain', () => told.push('needsDrain'))
    manager.on('drain', () => told.push('drain'))
    const results = []
    const pause = () => new Promise((resolve) => setTimeout(resolve, 1))
    for (let n = 0; n < 130; n++) results.push(manager.run(pause))
    const settled = Promise.allSettled(results)
    await once(manager, 'needsDrain')
    assert.ok(manager.needsDrain)
    await once(manager, 'drain')
    assert.ok(!manager.needsDrain)
    const refused = (await settled).filter(({ status }) => status === 'rejected')
    assert.ok(refused.length >= 20, `${refused.length} refused`)
    assert.ok(refused.every(({ reason }) => reason.code === 'ERR_NC_QUEUE_FULL'))
    assert.deepEqual(told, ['needsDrain', 'drain'])
  })
})

test('drain() finishes what was accepted and takes nothing new', async () => {
  await withManager({ maxWorkers: 2 }, async (manager) => {
    const running = manager.run(async () => {
      await new Promise((resolve) => setTimeout(resolve, 50))
      return 'done'
    })
    await once(manager, 'workerOnline')
    const draining = manager.drain()
    await assert.rejects(
      manager.run(() => 1),
      { code: 'ERR_NC_CLOSED', message: /draining/ },
    )
    await draining
    assert.equal(await running, 'done')
    await manager.close()
    assert.throws(() => manager.register(() => 1), { code: 'ERR_NC_CLOSED' })
    await assert.rejects(
      manager.start().then(() => manager.scale(1)),
      { code: 'ERR_NC_CLOSED' },
    )
  })
})

test('close() waits for work, or does not with force, and may be called again', async () => {
  const patient = new Manager({ maxWorkers: 1 })
  const answer = patient.run(async () => {
    await new Promise((resolve) => setTimeout(resolve, 100))
    return 5
  })
  await once(patient, 'workerOnline')
  const closing = patient.close()
  assert.equal(patient.close(), closing)
  assert.equal(await answer, 5)
  await closing

  const hasty = new Manager({ maxWorkers: 1 })
  const never = assert.rejects(
    hasty.run(() => new Promise(() => {})),
    { code: 'ERR_NC_CLOSED' },
  )
  await once(hasty, 'workerOnline')
  const waits = hasty.close()
  await within(hasty.close({ force: true }), 'forced end')
  await waits
  await never

  const limited = new Manager({ maxWorkers: 1 })
  const spin = () => {
    for (;;);
  }
  const stuck = assert.rejects(limited.run(spin), { code: 'ERR_NC_CLOSED' })
  await once(limited, 'workerOnline')
  await within(limited.close({ timeout: 100 }), 'end')
  await stuck
  await new Manager().close()
  await new Manager().close({ force: true })
})

test('a closed manager lets go of its threads', async () => {
  const before = process._getActiveHandles().length
  for (let n = 0; n < 5; n++) {
    const manager = new Manager({ minWorkers: 2, maxWorkers: 2 })
    await manager.start()
    await manager.run(() => 1)
    await manager.close()
    const { workers, idle, active, completed } = manager.stats()
    assert.deepEqual([workers, idle, active, completed], [0, 0, 0, 1])
  }
  assert.ok(process._getActiveHandles().length <= before + 1)
})

test('a process with idle workers exits by itself, one with work stays', async () => {
  const run = promisify(execFile)
  const program = `
    const { Manager } = require(${JSON.stringify(LIBRARY)})
    const manager = new Manager({ minWorkers: 1, maxWorkers: 2 })
    const wait = () => new Promise((resolve) => setTimeout(resolve, 300, 'here'))
    manager.run(wait).then(console.log)`
  const started = performance.now()
  const { stdout } = await run(process.execPath, ['-e', program], { timeout: 20_000 })
  assert.equal(stdout, 'here\n')
  assert.ok(performance.now() - started < 15_000)
})

test('a manager works in a worker thread, and in several at once', async () => {
  const program = `
    const { parentPort } = require('node:worker_threads')
    const { ScalabilityManager } = require(${JSON.stringify(LIBRARY)})
    ScalabilityManager.run((a) => a * 2, [21]).then((result) => parentPort.postMessage(result))`
  const threads = [1, 2, 3].map(() => new Worker(program, { eval: true }))
  const answers = await Promise.all(threads.map((thread) => once(thread, 'message')))
  assert.deepEqual(answers.flat(), [42, 42, 42])
  await Promise.all(threads.map((thread) => thread.terminate()))
})

test('what goes wrong in a listener is reported, and the work goes on', async () => {
  await withManager({ maxWorkers: 1 }, async (manager) => {
    const errors = []
    manager.on('error', (error) => errors.push(error))
    manager.once('workerOnline', () => {
      throw new Error('a listener')
    })
    assert.equal(await manager.run(() => 1), 1)
    assert.equal(errors[0].message, 'a listener')
    const warned = until(process, 'warning', ({ message }) => message === 'nobody listens')
    manager.removeAllListeners('error')
    manager.on('workerOnline', () => {
      throw new Error('nobody listens')
    })
    await manager.scale(2)
    await warned
  })
})

test('what was asked for before close() is done, also in several rounds', async () => {
  const manager = new Manager({ maxWorkers: 2 })
  const Iterator = new IteratorClass(manager)
  const calls = [manager.run((x) => [x].map((y) => y + 1)[0], [1])]
  const items = Array.from({ length: 100 }, (_, index) => String(index))
  const add = (a, b) => {
    for (let i = 0; i < 3; i++);
    return a + b
  }
  const reduced = new Iterator(items).reduce(add, { chunkSize: 2 })
  const streamed = listOf(new Iterator([1, 2, 3]).stream(async (x) => x * 2))
  await within(manager.close(), 'end')
  assert.deepEqual(await Promise.all(calls), [2])
  assert.equal(await reduced, items.join(''))
  assert.deepEqual(await streamed, [2, 4, 6])
  await assert.rejects(
    manager.run(() => 1),
    { code: 'ERR_NC_CLOSED' },
  )
})

/** @param {AsyncIterable<unknown>} values */
async function listOf(values) {
  const list = []
  for await (const value of values) list.push(value)
  return list
}
