'use strict'

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { once } = require('node:events')
const path = require('node:path')
const { Worker } = require('node:worker_threads')
const SharedEventEmitterClass = require('../../lib/events/shared-event-emitter.js')

const file = path.join(__dirname, 'support', 'worker.js')

/**
 * @param {import('node:test').TestContext} t
 * @param {number} count
 */
function startWorkers(t, count) {
  return Array.from({ length: count }, () => {
    const worker = new Worker(file)
    t.after(() => worker.terminate())
    /** @param {...unknown} order */
    const tell = async (...order) => {
      const answer = once(worker, 'message')
      worker.postMessage(order)
      return (await answer)[0]
    }
    return Object.assign(worker, { tell })
  })
}

/** @param {import('node:test').TestContext} t */
function open(t, options = {}) {
  const emitter = new SharedEventEmitterClass(undefined, options)
  t.after(() => emitter.close())
  return emitter
}

test('an event reaches listeners in all threads, with its arguments', async (t) => {
  const emitter = open(t)
  const workers = startWorkers(t, 4)
  await Promise.all(workers.map((worker) => worker.tell('on', 'all')))
  const args = [1, 'ä€', new Map([['a', new Date(5)]]), undefined, [null], 10n]
  assert.equal(await emitter.emitAsync('all', ...args), 4)
  assert.equal(await emitter.emitAsync('nobody'), 0)
  for (const worker of workers) assert.deepEqual(await worker.tell('heard', 1), [args])
})

test('a name that is no text is refused', async (t) => {
  const emitter = open(t)
  const invalid = { code: 'ERR_NC_INVALID_ARG' }
  for (const name of ['\ud800', 'a\udc00']) {
    assert.throws(() => emitter.on(name, () => {}), invalid)
    assert.throws(() => emitter.emit(name), invalid)
    await assert.rejects(emitter.emitAsync(name), invalid)
  }
})

test('own listeners are called too, later and in the order they were added', async (t) => {
  const emitter = open(t)
  /** @type {string[]} */
  const heard = []
  const done = new Promise((resolve) => {
    emitter.on('own', (value) => heard.push(`a${value}`))
    emitter.once('own', (value) => heard.push(`b${value}`))
    emitter.on('own', (value) => value === 2 && resolve(undefined))
  })
  assert.equal(emitter.emit('own', 1), true)
  emitter.emit('own', 2)
  assert.deepEqual(heard, [])
  await done
  assert.deepEqual(heard, ['a1', 'b1', 'a2'])
})

test('four threads emit to each other: nothing is lost, each in order', async (t) => {
  const count = 5000
  const workers = startWorkers(t, 4)
  await Promise.all(workers.map((worker) => worker.tell('on', 'each')))
  await Promise.all(workers.map((worker, i) => worker.tell('emit', 'each', count, i)))
  for (const worker of workers) {
    /** @type {[number, number][]} */
    const heard = await worker.tell('heard', 4 * count)
    assert.equal(heard.length, 4 * count)
    for (const of of [0, 1, 2, 3]) {
      const numbers = heard.filter(([mark]) => mark === of).map(([, number]) => number)
      assert.deepEqual(
        numbers,
        Array.from({ length: count }, (_, i) => i),
      )
    }
  }
})

test('a thread that closes, or ends, hears nothing more', async (t) => {
  const emitter = open(t)
  const [a, b, c] = startWorkers(t, 3)
  await Promise.all([a, b, c].map((worker) => worker.tell('on', 'leaving')))
  assert.equal(await emitter.emitAsync('leaving'), 3)
  await a.tell('off')
  await b.terminate()
  assert.equal(await emitter.emitAsync('leaving'), 1)
})

test('off removes the listener that was added last', async (t) => {
  const emitter = open(t)
  const listener = () => {}
  emitter.on('off', listener).once('off', listener).on('off', listener)
  assert.equal(emitter.listenerCount('off'), 3)
  emitter.off('off', listener).off('off', listener).off('off', listener).off('off', listener)
  assert.equal(emitter.listenerCount('off'), 0)
  assert.equal(await emitter.emitAsync('off'), 0)
})

test('what a listener throws is an uncaught exception of its thread', async (t) => {
  const emitter = open(t)
  const [worker] = startWorkers(t, 1)
  await worker.tell('throwing', 'fails')
  const failed = once(worker, 'error')
  emitter.emit('fails')
  assert.equal((await failed)[0].message, 'a listener failed')
})

for (const [overflow, first, last, emitted] of /** @type {const} */ ([
  ['drop-oldest', 7, 9, 10],
  ['drop-newest', 0, 2, 10],
  ['error', 0, 2, 3],
])) {
  test(`a queue of 3 that is full: ${overflow}`, async (t) => {
    const listening = open(t, { maxQueue: 3, overflow })
    const emitter = open(t)
    /** @type {number[]} */
    const heard = []
    listening.on('full', (number) => heard.push(number))
    let accepted = 0
    for (let i = 0; i < 10; i++) accepted += Number(emitter.emit('full', i))
    assert.equal(accepted, emitted)
    const stats = await emitter.stats()
    assert.equal((await listening.stats()).waiting, 3)
    await new Promise((resolve) => setImmediate(resolve))
    while (heard.length < 3) await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual([heard[0], heard.at(-1), heard.length], [first, last, 3])
    assert.ok(stats.emitted >= emitted)
  })
}

test('with the policy error, emitAsync says so', async (t) => {
  const listening = open(t, { maxQueue: 1, overflow: 'error' })
  listening.on('refused', () => {})
  const emitter = open(t)
  assert.equal(emitter.emit('refused'), true)
  await assert.rejects(emitter.emitAsync('refused'), { code: 'ERR_NC_QUEUE_FULL' })
})

/** @type {[string, (emitter: any) => unknown, string][]} */
const bad = [
  ['no name', (it) => it.emit(), 'ERR_NC_INVALID_ARG'],
  ['an empty name', (it) => it.on('', () => {}), 'ERR_NC_INVALID_ARG'],
  ['a symbol', (it) => it.on(Symbol('a'), () => {}), 'ERR_NC_INVALID_ARG'],
  ['a name of 1025 bytes', (it) => it.emit('x'.repeat(1025)), 'ERR_NC_INVALID_ARG'],
  ['a listener that is none', (it) => it.on('a', 1), 'ERR_NC_INVALID_ARG'],
  ['to remove no listener', (it) => it.off('a'), 'ERR_NC_INVALID_ARG'],
  ['an argument that cannot be sent', (it) => it.emit('a', () => {}), 'ERR_NC_INVALID_VALUE'],
  [
    'an unknown option',
    () => new SharedEventEmitterClass(undefined, /** @type {any} */ ({ a: 1 })),
    'ERR_NC_INVALID_ARG',
  ],
  [
    'a queue of none',
    () => new SharedEventEmitterClass(undefined, { maxQueue: 0 }),
    'ERR_NC_INVALID_ARG',
  ],
  [
    'a queue of NaN',
    () => new SharedEventEmitterClass(undefined, { maxQueue: NaN }),
    'ERR_NC_INVALID_ARG',
  ],
  [
    'no such policy',
    () => new SharedEventEmitterClass(undefined, /** @type {any} */ ({ overflow: 'wait' })),
    'ERR_NC_INVALID_ARG',
  ],
  [
    'options that are none',
    () => new SharedEventEmitterClass(undefined, /** @type {any} */ (5)),
    'ERR_NC_INVALID_ARG',
  ],
]

for (const [url, options, code] of /** @type {[any, any, string][]} */ ([
  ['nothing', {}, 'ERR_NC_INVALID_URL'],
  [5, {}, 'ERR_NC_INVALID_URL'],
  [null, {}, 'ERR_NC_INVALID_URL'],
  ['https://localhost:1', {}, 'ERR_NC_INVALID_URL'],
  ['wss://localhost:1', {}, 'ERR_NC_INVALID_URL'],
  ['http://example.com:1', {}, 'ERR_NC_INVALID_URL'],
  ['http://0.0.0.0:1', {}, 'ERR_NC_INVALID_URL'],
  ['http://localhost:0', {}, 'ERR_NC_INVALID_URL'],
  ['http://a:b@localhost:1', {}, 'ERR_NC_INVALID_URL'],
  ['http://localhost:1/?a=1', {}, 'ERR_NC_INVALID_URL'],
  ['http://localhost:1/%ff', {}, 'ERR_NC_INVALID_URL'],
  [`http://localhost:1/${'x'.repeat(1025)}`, {}, 'ERR_NC_INVALID_URL'],
  ['http://localhost:1', { host: 'always' }, 'ERR_NC_INVALID_ARG'],
  ['http://localhost:1', { connectTimeout: 0 }, 'ERR_NC_INVALID_ARG'],
  ['http://localhost:1', { connectTimeout: 2 ** 31 }, 'ERR_NC_INVALID_ARG'],
  ['http://localhost:1', { token: '' }, 'ERR_NC_INVALID_ARG'],
  ['http://localhost:1', { token: 5 }, 'ERR_NC_INVALID_ARG'],
])) {
  test(`bad input: ${String(url).slice(0, 40)} ${JSON.stringify(options)}`, () => {
    assert.throws(() => new SharedEventEmitterClass(url, options), { code })
  })
}

for (const [what, act, code] of bad) {
  test(`bad input: ${what}`, async (t) => {
    const emitter = open(t)
    await assert.rejects(async () => act(emitter), { name: 'NetworkClusterError', code })
  })
}

test('closed, it refuses; to close again does nothing', async (t) => {
  const emitter = open(t)
  emitter.on('a', () => {})
  await emitter.close()
  await emitter.close()
  assert.equal(emitter.listenerCount('a'), 0)
  for (const act of [() => emitter.emit('a'), () => emitter.on('a', () => {})]) {
    assert.throws(act, { code: 'ERR_NC_CLOSED' })
  }
  await assert.rejects(emitter.emitAsync('a'), { code: 'ERR_NC_CLOSED' })
})
