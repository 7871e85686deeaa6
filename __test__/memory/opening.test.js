'use strict'

// While the directory of a memory is being read.

const assert = require('node:assert/strict')
const { spawn } = require('node:child_process')
const { once } = require('node:events')
const fs = require('node:fs')
const net = require('node:net')
const path = require('node:path')
const { test } = require('node:test')
const { Worker } = require('node:worker_threads')
const { IteratorClass, Manager } = require('../..')
const { SharedMemoryClass } = require('../../lib/memory')
const { child, crew, freeUrl, thread } = require('./support/crew.js')
const { temporary } = require('./support/stored.js')

const LIB = path.join(__dirname, '../../lib/memory')
const STORAGE = { code: 'ERR_NC_STORAGE' }

/** A memory that is being opened. */
async function opening(t, directory, options) {
  const memory = new SharedMemoryClass(await freeUrl('opening'), {
    durable: { directory },
    ...options,
  })
  t.after(() => memory.close())
  return memory
}

/** Whether anybody listens on a port. */
async function listens(port) {
  const socket = net.connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** A directory with values. */
async function filled(t, values) {
  const directory = temporary(t)
  const memory = await opening(t, directory)
  await memory.set(values)
  await memory.close()
  return directory
}

test('what is asked waits, in its order, and what is asked at once is told to wait', async (t) => {
  const directory = await filled(t, { a: 1, b: 2, gone: 3 })
  const memory = await opening(t, directory)
  const notReady = { code: 'ERR_NC_NOT_READY', message: /memory\.ready/ }
  assert.throws(() => memory.getSync('a'), notReady)
  assert.throws(() => memory.setSync('a', 2), notReady)
  const bytes = new Uint8Array([1])
  const object = { list: [1] }
  const asked = [
    memory.get('a'),
    memory.set('a', bytes),
    memory.set({ b: object }),
    memory.get('a'),
    memory.getMany(['a', 'b']),
    memory.has('gone'),
    memory.delete('gone'),
    memory.has('gone'),
    memory.increment('count', 2),
    memory.compareAndSet('new', undefined, object),
    memory.getEntry('count').then((entry) => entry.value),
    memory.update('count', (count) => count + 1),
    memory.transaction((tx) => tx.get('b')),
    memory.runOnKey('ran', (entry, value) => void (entry.value = value), 7),
    memory.stats().then(({ locks }) => locks),
    memory.keys().next(),
  ]
  // What was to be written is what it was then.
  bytes[0] = 9
  object.list.push(2)
  const [a, version, ...rest] = await Promise.all(asked)
  assert.equal(a, 1)
  assert.match(version, /^[0-9a-f]{16}$/)
  const { done } = rest.pop()
  assert.equal(done, false)
  const written = { a: new Uint8Array([1]), b: { list: [1] } }
  assert.deepEqual(
    rest.map((it) => (Object.getPrototypeOf(it ?? {}) === null ? { ...it } : it)),
    [
      undefined,
      written.a,
      written,
      true,
      true,
      false,
      2,
      true,
      2,
      3,
      written.b,
      undefined,
      rest[12],
    ],
  )
  assert.equal(memory.getSync('count'), 3)
  memory.setSync('a', 5)
  assert.equal(await memory.get('a'), 5)
})

test('locks and watches wait too', async (t) => {
  const memory = await opening(t, await filled(t, { a: 1 }))
  const since = memory.watch({ prefix: '' }, { since: '0000000000000000' })
  const now = memory.watch('a')
  const dropped = memory.watch('a')
  await dropped.return()
  const aborted = memory.lock('l', { signal: AbortSignal.abort(new Error('mine')) })
  const lock = memory.lock('l')
  const set = memory.set('a', 2)
  await assert.rejects(aborted, { message: 'mine' })
  assert.equal(await (await lock).release(), true)
  await set
  assert.equal((await since.next()).value.value, 1)
  assert.equal((await since.next()).value.value, 2)
  assert.equal((await now.next()).value.value, 2)
  assert.equal((await dropped.next()).done, true)
})

test('who waits for a lock can stop before the memory is there', async (t) => {
  const memory = await opening(t, await filled(t, { a: 1 }))
  const controller = new AbortController()
  const lock = memory.lock('l', { signal: controller.signal })
  controller.abort(new Error('mine'))
  await assert.rejects(lock, { message: 'mine' })
  assert.throws(() => memory.getSync('a'), { code: 'ERR_NC_NOT_READY' })
  await memory.ready
  const later = new AbortController()
  const held = await memory.lock('l')
  const waiting = memory.lock('l', { signal: later.signal })
  later.abort(new Error('mine'))
  await assert.rejects(waiting, { message: 'mine' })
  assert.equal(await held.release(), true)
})

test('a memory that cannot be opened tells everybody why', async (t) => {
  const unhandled = []
  const listener = (reason) => unhandled.push(reason)
  process.on('unhandledRejection', listener)
  t.after(() => process.off('unhandledRejection', listener))
  const directory = await filled(t, { a: 1, b: 2 })
  const [segment] = fs.readdirSync(directory).filter((name) => name.endsWith('.log'))
  const bytes = fs.readFileSync(path.join(directory, segment))
  bytes[100] ^= 1
  fs.writeFileSync(path.join(directory, segment), bytes)
  const memory = await opening(t, directory)
  const watch = memory.watch('a')
  const asked = [
    memory.get('a'),
    memory.set('a', 1),
    memory.increment('a'),
    memory.lock('a'),
    memory.transaction((tx) => tx.get('a')),
    memory.runOnKey('a', (entry) => entry.value),
    memory.stats(),
    memory.keys().next(),
    memory.ready,
    watch.next(),
  ]
  for (const { status, reason } of await Promise.allSettled(asked)) {
    assert.equal(status, 'rejected')
    assert.equal(reason.code, 'ERR_NC_STORAGE')
  }
  await assert.rejects(memory.get('a'), STORAGE)
  assert.throws(() => memory.getSync('a'), STORAGE)
  await assert.rejects(memory.watch('a').next(), STORAGE)
  // Nobody asks anything of this one.
  const other = await opening(t, directory)
  await assert.rejects(
    opening(t, directory).then((it) => it.ready),
    STORAGE,
  )
  await new Promise(setImmediate)
  await other.close()
  assert.deepEqual(unhandled, [])
  await memory.close()
  await assert.rejects(memory.get('a'), { code: 'ERR_NC_CLOSED' })
})

test('one that another process has can be opened once that is gone', async (t) => {
  const directory = temporary(t)
  const script = `
    const { SharedMemoryClass } = require(${JSON.stringify(LIB)})
    const memory = new SharedMemoryClass(undefined, { durable: { directory: ${JSON.stringify(directory)} } })
    memory.set('a', 1).then(() => console.log('set'))
    process.stdin.resume()`
  const other = spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'pipe', 'inherit'] })
  await once(other.stdout, 'data')
  const memory = await opening(t, directory)
  await assert.rejects(memory.get('a'), { code: 'ERR_NC_STORAGE', message: /in use/ })
  await memory.close()
  other.kill('SIGKILL')
  await once(other, 'exit')
  const again = await opening(t, directory)
  assert.equal(await again.get('a'), 1)
})

test('it can be closed meanwhile, and opened anew at once', async (t) => {
  const directory = await filled(t, { a: 1 })
  const url = await freeUrl('closed')
  for (let round = 0; round < 20; round++) {
    const memory = new SharedMemoryClass(url, { durable: { directory } })
    const asked = memory.get('a')
    const closing = [memory.close(), memory.close()]
    await assert.rejects(asked, { code: 'ERR_NC_CLOSED' })
    assert.throws(() => memory.getSync('a'), { code: 'ERR_NC_CLOSED' })
    // Now and then without waiting for the end of that.
    if (round % 2 === 0) await Promise.all(closing)
    await memory.close()
  }
  const memory = await opening(t, directory)
  assert.equal(await memory.get('a'), 1)
})

test('of one that was closed meanwhile and opened by the same name there is one', async (t) => {
  const directory = await filled(t, { a: 1 })
  const durable = { directory }
  const url = await freeUrl('same')
  const first = new SharedMemoryClass(url, { durable })
  void first.close()
  const second = new SharedMemoryClass(url, { durable })
  t.after(() => second.close())
  const third = new SharedMemoryClass(url, { durable })
  t.after(() => third.close())
  await second.set('a', 2)
  assert.equal(third.getSync('a'), 2)
  const elsewhere = { durable: { directory: temporary(t) } }
  assert.throws(() => new SharedMemoryClass(url, elsewhere), { code: 'ERR_NC_INVALID_ARG' })
})

test('without a directory the name is free when that is', async (t) => {
  const directory = await filled(t, { a: 1 })
  const url = await freeUrl('free')
  const first = new SharedMemoryClass(url, { durable: { directory } })
  const closing = first.close()
  const second = new SharedMemoryClass(url)
  t.after(() => second.close())
  assert.equal(await second.get('a'), undefined)
  await closing
  await second.set('a', 2)
  assert.equal(second.getSync('a'), 2)
})

const linux = { skip: process.platform !== 'linux' && 'threads are counted with /proc' }
test('however often it is closed meanwhile, few threads wait', linux, async (t) => {
  const directory = await filled(t, { a: 1 })
  const count = () => fs.readdirSync('/proc/self/task').length
  const before = count()
  let most = before
  const closing = []
  for (let round = 0; round < 500; round++) {
    const memory = new SharedMemoryClass(undefined, { durable: { directory } })
    closing.push(memory.close())
    most = Math.max(most, count())
  }
  // The directory is read by as many as there are processors.
  assert.ok(most - before < 100, `${most - before} more`)
  await Promise.all(closing)
  const memory = await opening(t, directory)
  assert.equal(await memory.get('a'), 1)
})

test('threads that open a directory at the same time share one memory', async (t) => {
  const options = { durable: { directory: await filled(t, { count: 1 }) } }
  const url = await freeUrl('threads')
  const memory = new SharedMemoryClass(url, options)
  t.after(() => memory.close())
  const own = memory.increment('count')
  const members = await crew(t, 3, () => thread({ url, options }))
  const way = { key: 'count', times: 20, way: 'increment' }
  await Promise.all(members.map((member) => member.run('countBy', way)))
  await own
  assert.equal(await memory.get('count'), 62)
})

test('a thread that ends meanwhile leaves the directory free', async (t) => {
  const directory = await filled(t, { a: 1 })
  const source = `
    const { SharedMemoryClass } = require(${JSON.stringify(LIB)})
    new SharedMemoryClass(undefined, { durable: { directory: ${JSON.stringify(directory)} } }).get('a')
    process.exit()`
  for (let round = 0; round < 5; round++) {
    await once(new Worker(source, { eval: true }), 'exit')
    // What it has begun takes a moment to end.
    for (;;) {
      const memory = await opening(t, directory)
      const value = await memory.get('a').catch(({ code }) => code)
      await memory.close()
      if (value === 1) break
      assert.equal(value, 'ERR_NC_STORAGE')
    }
  }
})

test('one that is being taken over can be closed, and opened anew at once', async (t) => {
  const directory = temporary(t)
  const url = await freeUrl('taken-over')
  const options = { durable: { directory } }
  const script = `
    const { SharedMemoryClass } = require(${JSON.stringify(LIB)})
    const memory = new SharedMemoryClass(${JSON.stringify(url)}, ${JSON.stringify(options)})
    const values = Array.from({ length: 60_000 }, (_, i) => ['k' + i, i])
    memory.set(Object.fromEntries(values)).then(() => console.log('set'))
    process.stdin.resume()`
  const owner = spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'pipe', 'inherit'] })
  await once(owner.stdout, 'data')
  const memory = new SharedMemoryClass(url, options)
  t.after(() => memory.close())
  await memory.ready
  owner.kill('SIGKILL')
  await once(owner, 'exit')
  // Who takes over listens before it reads.
  while (!(await listens(new URL(url).port)));
  await memory.close()
  const again = new SharedMemoryClass(undefined, options)
  t.after(() => again.close())
  assert.equal(await again.has('k99'), true)
})

test('another process is let in when it is open', async (t) => {
  const url = await freeUrl('let-in')
  const durable = { directory: await filled(t, { a: 1 }) }
  // It tries from now on.
  const joining = crew(t, 1, () => child({ url, options: { host: 'never' } }))
  const memory = new SharedMemoryClass(url, { durable })
  t.after(() => memory.close())
  const [other] = await joining
  assert.equal(await other.run('get', { key: 'a' }), 1)
})

test('work on it waits', async (t) => {
  const memory = await opening(t, await filled(t, { factor: 3 }))
  const manager = new Manager({ maxWorkers: 1 })
  t.after(() => manager.close())
  const Iterator = new IteratorClass(manager)
  const work = new Iterator([1, 2]).useScope(memory)
  const results = await work.map(async (item, scope) => item * (await scope.get('factor')))
  assert.deepEqual(results, [3, 6])
})

test('work that is aborted meanwhile is not begun', async (t) => {
  const manager = new Manager({ maxWorkers: 1 })
  t.after(() => manager.close())
  await manager.run(() => 1)
  const memory = await opening(t, await filled(t, { factor: 3 }))
  const controller = new AbortController()
  const Iterator = new IteratorClass(manager)
  const work = new Iterator([1, 2]).useScope(memory)
  const results = work.map(async (item, scope) => item * (await scope.get('factor')), {
    signal: controller.signal,
    chunkSize: 1,
  })
  // It waits for the memory, which is there in a later turn.
  for (let turn = 0; turn < 50; turn++) await Promise.resolve()
  assert.throws(() => memory.getSync('factor'), { code: 'ERR_NC_NOT_READY' })
  controller.abort()
  await assert.rejects(results, { name: 'AbortError' })
})

test('no more than so much waits', async (t) => {
  const memory = await opening(t, temporary(t))
  const counts = Array.from({ length: 10_000 }, () => memory.increment('count'))
  await assert.rejects(memory.increment('count'), { code: 'ERR_NC_QUEUE_FULL' })
  const named = await opening(t, temporary(t))
  const unnamed = new SharedMemoryClass(undefined, { durable: { directory: temporary(t) } })
  t.after(() => unnamed.close())
  for (const it of [named, unnamed]) {
    const asked = Array.from({ length: 10_000 }, () => it.has('a'))
    await it.ready
    await Promise.all(asked)
  }
  await Promise.all(counts)
  assert.equal(await memory.increment('count'), 10_001)
})
