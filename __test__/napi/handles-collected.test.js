'use strict'

// Handles that wake JavaScript are held by it, and hold it: what is closed has to let go.

const assert = require('node:assert/strict')
const net = require('node:net')
const { test } = require('node:test')
const v8 = require('node:v8')
const vm = require('node:vm')
const { IteratorClass, Manager, SharedEventEmitterClass, SharedMemoryClass } = require('../..')
const native = require('../../lib/core/native')
const { eventually, quiet } = require('../support')

v8.setFlagsFromString('--expose-gc')
const gc = vm.runInNewContext('gc')

/** Uses handles one after the other, and waits until all that `use` has told of is gone. */
async function assertCollected(use) {
  const left = []
  for (let i = 0; i < 5; i++) left.push(...(await use(i)).map((each) => new WeakRef(each)))
  await eventually(async () => {
    await quiet(5)
    gc()
    return left.every((each) => each.deref() === undefined)
  }, 'collected handles')
}

test('emitters that were closed are collected, their listeners too', () =>
  assertCollected(async (i) => {
    const emitter = new SharedEventEmitterClass()
    const listener = await new Promise((resolve) => {
      const heard = () => resolve(heard)
      emitter.on('collected', heard)
      emitter.emit('collected', i)
    })
    await emitter.close()
    return [emitter, listener]
  }))

test('memories that were closed are collected', () =>
  assertCollected(async (i) => {
    const memory = new SharedMemoryClass()
    await memory.set('collected', i)
    await (await memory.lock('collected')).release()
    await memory.close()
    return [memory]
  }))

test('managers that were closed are collected', () =>
  assertCollected(async () => {
    const manager = new Manager({ workerType: 'inline' })
    const Parallel = new IteratorClass(manager)
    assert.deepEqual(await new Parallel([1, 2]).map((x) => 2 * x), [2, 4])
    await manager.close()
    return [manager]
  }))

const PATH = '/es-networkcluster/v1/data/collected'

/** A connection to a port where nobody speaks its protocol, and whether it has ended. */
function connect(port) {
  let link
  const ended = new Promise((resolve) => {
    link = new native.NativeLink('127.0.0.1', port, PATH, '{}', undefined, () => {
      if (link.drain().some((each) => String(each).startsWith('closed'))) resolve(undefined)
    })
  })
  return { link, ended }
}

async function listening(t, onSocket) {
  const server = net.createServer(onSocket)
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return server.address().port
}

test('connections that were lost are collected', async (t) => {
  const port = await listening(t, (socket) => socket.destroy())
  await assertCollected(async () => {
    const { link, ended } = connect(port)
    await ended
    return [link]
  })
})

test('connections that were closed are collected', async (t) => {
  const sockets = []
  const port = await listening(t, (socket) => sockets.push(socket.on('error', () => {})))
  t.after(() => sockets.forEach((socket) => socket.destroy()))
  await assertCollected(async () => {
    const { link } = connect(port)
    link.close()
    return [link]
  })
})
