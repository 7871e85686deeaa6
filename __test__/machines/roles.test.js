'use strict'

// Data, EventEmitter and Adaptable, and a Proxy in front of them.

const assert = require('node:assert/strict')
const { fork } = require('node:child_process')
const { once } = require('node:events')
const net = require('node:net')
const path = require('node:path')
const { test } = require('node:test')
const SharedEventEmitterClass = require('../../lib/events/shared-event-emitter')
const { Client } = require('../../lib/link/client')
const { KINDS, Writer } = require('../../lib/link/frames')
const { parse } = require('../../lib/link/url')
const { Adaptable, Data, EventEmitter, Manager, Proxy, Worker } = require('../../lib/machines')
const { SharedMemoryClass } = require('../../lib/memory/shared-memory')
const { until, within } = require('./support')

/** Something that closes, at the end of a test. */
async function using(opened, body) {
  try {
    await body()
  } finally {
    for (const one of opened.toReversed()) await one.close({ force: true })
  }
}

/** A process that is an Adaptable until it is ended. */
function adaptableProcess(url, token = '') {
  const child = fork(path.join(__dirname, 'support', 'adaptable-process.js'), [url, token])
  return { child, close: () => child.kill('SIGKILL') && once(child, 'exit') }
}

test('Data hosts a memory at its address', async () => {
  const data = new Data({ listen: 'http://127.0.0.1:0/prices%20now' })
  await using([data], async () => {
    assert.equal(await data.start(), data)
    assert.match(data.url, /^http:\/\/127\.0\.0\.1:\d+\/prices%20now$/)
    const memory = new SharedMemoryClass(data.url)
    await memory.set({ eur: 1.1 })
    assert.equal(await data.memory.get('eur'), 1.1)
    assert.equal(data.stats().role, 'data')
    assert.equal((await data.memory.stats()).entries, 1)
    await memory.close()
    const second = new Data({ listen: data.url, token: 'other' })
    await assert.rejects(second.start(), { code: 'ERR_NC_CONNECT' })
  })
  await data.close()
})

test('EventEmitter hosts an emitter at its address', async () => {
  const machine = new EventEmitter()
  await using([machine], async () => {
    await machine.start()
    const emitter = new SharedEventEmitterClass(machine.url)
    await emitter.ready
    const heard = new Promise((resolve) => emitter.on('price', (...args) => resolve(args)))
    machine.emitter.emit('price', 'eur', 1.1)
    assert.deepEqual(await within(heard, 'event'), ['eur', 1.1])
    await emitter.close()
  })
})

test('an Adaptable in this process takes all its roles, one after the other', async () => {
  const manager = new Manager({ listen: 'http://127.0.0.1:0', maxWorkers: 0 })
  await manager.start()
  const functions = { one: () => 1 }
  const adaptable = new Adaptable({ connect: manager.url, functions })
  await using([manager, adaptable], async () => {
    const came = until(manager, 'adaptable')
    await adaptable.start()
    const all = ['worker', 'data', 'events', 'proxy']
    assert.deepEqual(await came, { id: adaptable.id, role: 'adaptable', roles: all })
    assert.deepEqual(manager.adaptables(), [{ id: adaptable.id, role: 'adaptable', roles: all }])

    await manager.assign(adaptable.id, 'worker')
    assert.equal(adaptable.role, 'worker')
    assert.equal(await manager.run('one'), 1)
    assert.equal(adaptable.stats().completed, 1)
    assert.equal(adaptable.stats().role, 'worker')

    const lost = until(manager, 'workerLost')
    await manager.assign(adaptable.id, 'data', { listen: 'http://127.0.0.1:0/x' })
    await lost
    const memory = new SharedMemoryClass(adaptable.machine.url)
    await memory.set('a', 1)
    assert.equal(await adaptable.machine.memory.get('a'), 1)
    await memory.close()
    assert.equal(manager.adaptables()[0].role, 'data')

    await manager.assign(adaptable.id, 'events')
    assert.ok(adaptable.machine.emitter)
    const proxy = { listen: 'http://127.0.0.1:0', managers: [manager.url] }
    await manager.assign(adaptable.id, 'proxy', proxy)
    const worker = new Worker({ connect: adaptable.machine.url, functions })
    await worker.start()
    assert.equal(await manager.run('one'), 1)
    await worker.close()
    await manager.assign(adaptable.id, 'adaptable')
    assert.equal(adaptable.machine, undefined)
    assert.equal(adaptable.role, 'adaptable')
  })
})

test('an Adaptable refuses what it was not offered for', async () => {
  const manager = new Manager({ listen: 'http://127.0.0.1:0', maxWorkers: 0 })
  await manager.start()
  const adaptable = new Adaptable({ connect: manager.url, roles: ['worker', 'data'] })
  await using([manager, adaptable], async () => {
    const came = until(manager, 'adaptable')
    await adaptable.start()
    await came
    const invalid = { code: 'ERR_NC_INVALID_ARG' }
    const { id } = adaptable
    await assert.rejects(manager.assign(id, 'proxy'), invalid)
    await assert.rejects(manager.assign(id, 'manager'), invalid)
    await assert.rejects(manager.assign(id, '__proto__'), invalid)
    await assert.rejects(manager.assign('nobody', 'worker'), invalid)
    await assert.rejects(manager.assign(id, 'data', { persist: '/somewhere' }), invalid)
    await assert.rejects(manager.assign(id, 'data', { unknown: 1 }), invalid)
    await assert.rejects(manager.assign(id, 'data', { listen: 'http://example.com:1' }), {
      code: 'ERR_NC_INVALID_URL',
    })
    const occupied = net.createServer().listen(0, '127.0.0.1')
    await once(occupied, 'listening')
    const listen = `http://127.0.0.1:${occupied.address().port}`
    await assert.rejects(manager.assign(id, 'data', { listen }), { code: 'ERR_NC_CONNECT' })
    occupied.close()
    assert.equal(adaptable.role, 'adaptable')
    await assert.rejects(adaptable.assign('events'), invalid)
    await manager.assign(id, 'worker')
    assert.equal(adaptable.role, 'worker')
  })
})

test('an order to an Adaptable that is lost rejects', async () => {
  const manager = new Manager({ listen: 'http://127.0.0.1:0', maxWorkers: 0 })
  await manager.start()
  await using([manager], async () => {
    const worker = { id: 'mute', kind: 'adaptable', roles: ['worker', 'nonsense', 3] }
    const came = until(manager, 'adaptable')
    const client = new Client(parse(manager.url), { role: 'control', worker })
    assert.deepEqual(await came, { id: 'mute', role: 'adaptable', roles: ['worker'] })
    const order = manager.assign('mute', 'worker')
    const nonsense = [
      '{',
      '[]',
      'null',
      '{"type":"assigned","order":"1"}',
      '{"type":"assigned","order":99}',
    ]
    for (const text of nonsense) client.send(KINDS.CONTROL, 0, new Writer().str(text).finish())
    setTimeout(() => client.close(), 50)
    await assert.rejects(order, { code: 'ERR_NC_CONNECT' })
    assert.deepEqual(manager.adaptables(), [])
  })
})

test('an Adaptable in another process works, and takes another role when it has finished', async () => {
  const manager = new Manager({ listen: 'http://127.0.0.1:0', maxWorkers: 0, token: 'secret' })
  await manager.start()
  const process = adaptableProcess(manager.url, 'secret')
  await using([manager, process], async () => {
    const { id } = await until(manager, 'adaptable')
    await manager.assign(id, 'worker')
    const running = manager.run(
      async (n) => {
        await new Promise((resolve) => setTimeout(resolve, 100))
        return n
      },
      [5],
    )
    await manager.assign(id, 'data', { listen: 'http://127.0.0.1:0' })
    assert.equal(await running, 5)
    assert.equal(manager.stats().retried, 0)
    assert.equal(manager.stats().workers, 0)
    const gone = once(process.child, 'exit')
    process.child.kill('SIGKILL')
    await gone
  })
})

test('workers and memories are reached through a Proxy', async () => {
  const manager = new Manager({ listen: 'http://127.0.0.1:0', maxWorkers: 0, token: 'secret' })
  const data = new Data()
  await Promise.all([manager.start(), data.start()])
  const proxy = new Proxy({
    listen: 'http://127.0.0.1:0',
    managers: [manager.url],
    data: [data.url],
  })
  await proxy.start()
  const worker = new Worker({ connect: proxy.url, token: 'secret' })
  await using([manager, data, proxy, worker], async () => {
    await worker.start()
    assert.equal(await manager.run((a) => a + 1, [1]), 2)
    await assert.rejects(new Worker({ connect: proxy.url, token: 'wrong' }).start(), {
      code: 'ERR_NC_CONNECT',
    })
    const memory = new SharedMemoryClass(proxy.url)
    await memory.set('a', 5)
    assert.equal(await data.memory.get('a'), 5)
    await memory.close()
    assert.ok(proxy.stats().completed >= 3)
  })
})
