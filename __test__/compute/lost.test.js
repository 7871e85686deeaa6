'use strict'

// Workers that are lost, at every stage of what they do: no item is, and none counts twice.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { decodeItems, encodeItems } = require('../../lib/values')
const { LocalManager, numbers } = require('./support.js')

const long = (x) => {
  for (;;) return x * 2
}

/** Resolves when the worker has got something. */
function took(manager) {
  return new Promise((resolve) => {
    const { id, port } = manager.port(() => {
      const taken = port.take()
      if (taken !== null) resolve({ id, port, taken })
    })
  })
}

/** @param {any[]} taken */
function* blocks(taken) {
  for (let at = 5; at < taken.length; at += 4) {
    const [first, count, tag, data] = taken.slice(at, at + 4)
    yield { first, count, results: encodeItems(Array.from(decodeItems(tag, data), (x) => x * 2)) }
  }
}

const ITEMS = numbers(100)
const EXPECTED = ITEMS.map((x) => x * 2)

for (const [stage, items] of [
  ['numbers', ITEMS],
  ['text', ITEMS.map(String)],
]) {
  test(`lost with a chunk of ${stage}, before anything was answered`, async (t) => {
    const manager = new LocalManager()
    t.after(() => manager.close())
    const lost = took(manager)
    const work = new manager.Iterator(items).map(long)
    const { id, port } = await lost
    port.close()
    manager.lose(id)
    manager.work()
    assert.deepEqual(await work, EXPECTED)
  })

  test(`lost in the middle of answering ${stage}`, async (t) => {
    const manager = new LocalManager()
    t.after(() => manager.close())
    const lost = took(manager)
    const work = new manager.Iterator(items).map(long, { chunkSize: stage === 'text' ? 1 : 10 })
    const { id, port, taken } = await lost
    const [{ first, count, results }] = blocks(taken)
    port.done(taken[0], first, count, false, results.tag, results.data)
    port.close()
    manager.lose(id)
    manager.work()
    assert.deepEqual(await work, EXPECTED)
  })

  test(`lost once all of a chunk of ${stage} was answered, before the others were`, async (t) => {
    const manager = new LocalManager()
    t.after(() => manager.close())
    const lost = took(manager)
    const work = new manager.Iterator(items).map(long, { chunkSize: 10 })
    const { id, port, taken } = await lost
    const all = [...blocks(taken)]
    for (const [i, { first, count, results }] of all.entries()) {
      port.done(taken[0], first, count, i === all.length - 1, results.tag, results.data)
    }
    port.close()
    manager.lose(id)
    // What is answered again does not count.
    port.done(taken[0], all[0].first, all[0].count, true, all[0].results.tag, all[0].results.data)
    manager.work()
    assert.deepEqual(await work, EXPECTED)
  })
}

test('lost again and again: the item that was being done is told', async (t) => {
  const manager = new LocalManager()
  t.after(() => manager.close())
  const work = new manager.Iterator([1]).map(long, { retries: 2 })
  const outcome = work.then(
    () => assert.fail('it did not fail'),
    (reason) => reason,
  )
  for (let i = 0; i < 3; i++) {
    const { id, port } = await took(manager)
    manager.lose(id, 'a reason')
    port.close()
  }
  const error = await outcome
  assert.equal(error.name, 'TaskError')
  assert.equal(error.code, 'ERR_NC_WORKER_LOST')
  assert.equal(error.itemIndex, 0)
  assert.equal(error.attempts, 3)
  assert.match(error.message, /a reason/)
})

test('no worker at first', async (t) => {
  const manager = new LocalManager()
  t.after(() => manager.close())
  const work = new manager.Iterator(ITEMS).map(long)
  await new Promise((resolve) => setImmediate(resolve))
  manager.work()
  assert.deepEqual(await work, EXPECTED)
})

test('a reduction loses nothing', async (t) => {
  const manager = new LocalManager()
  t.after(() => manager.close())
  const lost = took(manager)
  const work = new manager.Iterator(ITEMS).reduce((a, b) => {
    for (;;) return a + b
  })
  const { id, port } = await lost
  port.close()
  manager.lose(id)
  manager.work()
  assert.equal(await work, 4950)
})

test('a thread that ends itself', async (t) => {
  const manager = new LocalManager({ threads: 2 })
  t.after(() => manager.close())
  const work = new manager.Iterator(numbers(20)).map(
    (x) => {
      if (x === 7) process.exit(3)
      return x
    },
    { retries: 1 },
  )
  const error = await work.then(
    () => assert.fail('it did not fail'),
    (reason) => reason,
  )
  assert.equal(error.code, 'ERR_NC_WORKER_LOST')
  assert.equal(error.itemIndex, 7)
  assert.match(error.message, /exit code 3/)
  // Those that replaced it go on.
  assert.deepEqual(await new manager.Iterator(ITEMS).map(long), EXPECTED)
})

test('threads that are killed while they work: every result, once', async (t) => {
  const manager = new LocalManager({ threads: 2 })
  t.after(() => manager.close())
  const counter = new SharedArrayBuffer(4)
  const work = new manager.Iterator(numbers(400)).map(
    (x) => {
      const end = performance.now() + 1
      while (performance.now() < end);
      return x
    },
    {
      retries: 50,
      onProgress: ({ done }) => {
        const kills = new Int32Array(counter)
        if (done < (kills[0] + 1) * 50) return
        kills[0]++
        manager.kill(manager.threads[kills[0] % 2])
      },
    },
  )
  assert.deepEqual(await work, numbers(400))
  assert.ok(new Int32Array(counter)[0] >= 3)
})

test('a loop without end is ended by its timeout, and others go on', async (t) => {
  const manager = new LocalManager({ threads: 2 })
  t.after(() => manager.close())
  const error = await new manager.Iterator([1, 2, 3])
    .map(
      (x) => {
        for (;;) if (x !== 2) return x
      },
      { timeout: 300 },
    )
    .catch((reason) => reason)
  assert.equal(error.code, 'ERR_NC_TASK_TIMEOUT')
  assert.equal(error.itemIndex, 1)
  assert.deepEqual(await new manager.Iterator(ITEMS).map(long), EXPECTED)
})

test('a thread that has no memory left', async (t) => {
  const manager = new LocalManager({ threads: 1, resourceLimits: { maxOldGenerationSizeMb: 16 } })
  t.after(() => manager.close())
  const error = await new manager.Iterator([1])
    .map(
      () => {
        const all = []
        for (;;) all.push(Array.from({ length: 1000 }, (_, i) => ({ i })))
      },
      { retries: 0 },
    )
    .catch((reason) => reason)
  assert.equal(error.code, 'ERR_NC_WORKER_OUT_OF_MEMORY')
  assert.equal(error.itemIndex, 0)
})
