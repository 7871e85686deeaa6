'use strict'

// The worker's side, with a queue that the test plays.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { WorkerLoop } = require('../../lib/compute/worker-loop.js')
const { describe } = require('../../lib/functions')
const { decodeItems, encodeItems } = require('../../lib/values')

/** A queue with functions that are asked for as over a connection, or at once. */
class Port {
  /** @type {any[][]} */
  chunks = []
  /** @type {any[][]} */
  said = []
  asked = 0
  cancels = []
  closed = 0
  #functions = new Map()
  #lease = 0
  #waiting = []

  /** @param {boolean} later whether functions are a promise */
  constructor(later) {
    this.later = later
  }

  /** @param {Function} fn @param {any[]} items @param {object} [told] */
  give(fn, items, told = {}) {
    const { hash, name, code, report } = describe(fn, { globals: ['seen'] })
    if (told.known !== false)
      this.#functions.set(hash, JSON.stringify({ source: code, name, report }))
    const { tag, data } = encodeItems(items)
    const json = JSON.stringify({
      kind: 'map',
      memory: null,
      reads: 'snapshot',
      inFlight: 16,
      throwRetries: 0,
      collect: false,
      ...told,
    })
    this.chunks.push([++this.#lease, 1, 0, hash, json, 0, items.length, tag, data])
    return this.#lease
  }

  take() {
    return this.chunks.shift() ?? null
  }

  /** @param {any[]} what */
  done(...what) {
    this.#say('done', what)
  }

  /** @param {any[]} what */
  failed(...what) {
    this.#say('failed', what)
  }

  progress() {}

  cancelled() {
    return this.cancels.splice(0)
  }

  /** @param {string} hash */
  function(hash) {
    this.asked++
    const json = this.#functions.get(hash) ?? null
    return this.later ? Promise.resolve(json) : json
  }

  close() {
    this.closed++
  }

  /** Resolves when so much was said. @param {number} count */
  async heard(count) {
    while (this.said.length < count) await new Promise((resolve) => this.#waiting.push(resolve))
    return this.said
  }

  /** @param {string} kind @param {any[]} what */
  #say(kind, what) {
    this.said.push([kind, ...what])
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

const results = ([, , , , , tag, data]) => Array.from(decodeItems(tag, data))

for (const later of [false, true]) {
  test(`a function is asked for once${later ? ', over a connection' : ''}`, async () => {
    const port = new Port(later)
    const loop = new WorkerLoop(port, { id: 'w' })
    const double = (x) => x * 2
    for (let i = 0; i < 5; i++) port.give(double, [i, i + 1])
    const said = await port.heard(5)
    assert.deepEqual(
      said.map(results),
      [0, 1, 2, 3, 4].map((i) => [i * 2, i * 2 + 2]),
    )
    if (!later) assert.equal(port.asked, 1)
    port.give(double, [9])
    loop.wake()
    await port.heard(6)
    assert.equal(port.asked, 1)
    loop.close()
    loop.close()
    assert.equal(port.closed, 1)
  })

  test(`a function nobody has fails the chunk${later ? ', over a connection' : ''}`, async () => {
    const port = new Port(later)
    const loop = new WorkerLoop(port, { id: 'w' })
    port.give((x) => x, [1], { known: false })
    const [[kind, , index, json]] = await port.heard(1)
    assert.equal(kind, 'failed')
    assert.equal(index, 0)
    assert.equal(JSON.parse(json).code, 'ERR_NC_CODE_REFUSED')
    // It is asked for anew, should somebody have it then.
    port.give((x) => x, [1])
    loop.wake()
    const [, done] = await port.heard(2)
    assert.deepEqual(results(done), [1])
    loop.close()
  })
}

test('items that cannot be read fail the chunk, not the worker', async () => {
  const port = new Port(false)
  const loop = new WorkerLoop(port, { id: 'w' })
  port.give((x) => x, [1])
  port.chunks[0][7] = 8
  port.chunks[0][8] = 'no JSON'
  port.give((x) => x, [2])
  port.chunks[1][4] = 'no JSON'
  port.give((x) => x, [3])
  const said = await port.heard(3)
  assert.deepEqual(
    said.map(([kind]) => kind),
    ['failed', 'failed', 'done'],
  )
  loop.close()
})

test('a chunk that was cancelled is over without results, once its function is', async () => {
  const port = new Port(false)
  const loop = new WorkerLoop(port, { id: 'w' })
  globalThis.seen = { signals: [] }
  const lease = port.give(
    async (_x, _scope, ctx) => {
      seen.signals.push(ctx.signal)
      await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve))
    },
    [1, 2, 3, 4],
    { inFlight: 2 },
  )
  while (globalThis.seen.signals.length < 2) await new Promise((resolve) => setImmediate(resolve))
  port.cancels.push(lease)
  loop.wake()
  const [[kind, of]] = await port.heard(1)
  assert.deepEqual([kind, of], ['failed', lease])
  assert.equal(globalThis.seen.signals.length, 2)
  assert.ok(globalThis.seen.signals.every(({ aborted }) => aborted))
  delete globalThis.seen
  loop.close()
})

test('chunks of functions that wait are under way together, up to the slots', async () => {
  const port = new Port(false)
  const loop = new WorkerLoop(port, { id: 'w', slots: 2 })
  /** @type {any} */
  const state = (globalThis.seen = { waiting: [] })
  const waits = async (x) => {
    await new Promise((resolve) => seen.waiting.push(resolve))
    return x
  }
  for (let i = 0; i < 3; i++) port.give(waits, [i])
  while (state.waiting.length < 2) await new Promise((resolve) => setImmediate(resolve))
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(port.chunks.length, 1)
  state.waiting.shift()()
  await port.heard(1)
  while (state.waiting.length < 2) await new Promise((resolve) => setImmediate(resolve))
  for (const go of state.waiting.splice(0)) go()
  assert.deepEqual((await port.heard(3)).map(results).flat().sort(), [0, 1, 2])
  delete globalThis.seen
  loop.close()
})

test('timers of a function that waits come while others work without a pause', async () => {
  const port = new Port(false)
  const loop = new WorkerLoop(port, { id: 'w' })
  const lease = port.give(
    async (x) => {
      await new Promise((resolve) => setTimeout(resolve, 1))
      return x
    },
    [1],
  )
  const busy = (x) => {
    const end = performance.now() + 5
    while (performance.now() < end);
    return x
  }
  for (let i = 0; i < 40; i++) port.give(busy, [i])
  const said = await port.heard(41)
  assert.ok(said.findIndex(([, of]) => of === lease) < 30)
  loop.close()
})
