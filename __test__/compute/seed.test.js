'use strict'

// The example that this part of the project began with.

const assert = require('node:assert/strict')
const { EventEmitter } = require('node:events')
const { test } = require('node:test')
const { IteratorClass } = require('../../lib/compute/iterator.js')
const { SharedMemoryClass } = require('../../lib/memory')
const { LocalManager } = require('./support.js')

/** @param {import('node:test').TestContext} t */
async function begin(t) {
  const ScalabilityManager = new LocalManager({ threads: 2 })
  const memory = new SharedMemoryClass('http://localhost:0'.replace(':0', `:${await freePort()}`))
  t.after(async () => {
    await ScalabilityManager.close()
    await memory.close()
  })
  await memory.ready
  return { ScalabilityManager, memory, emitter: new EventEmitter() }
}

/** @returns {Promise<number>} */
function freePort() {
  const server = require('node:net').createServer()
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
      server.close(() => resolve(port))
    })
  })
}

test('with await: the function has to be async, as JavaScript wants it', async (t) => {
  const { ScalabilityManager, memory: SharedMemory, emitter: SharedEventEmitter } = await begin(t)
  let succeeded = 0
  SharedEventEmitter.on('success!', () => succeeded++)
  const Iterator = new IteratorClass(ScalabilityManager)

  const i = new Iterator([1, 2, 3, 4, 5])
  i.useScope(SharedMemory)

  await SharedMemory.set({ multiplier: 10 })
  const newArray = await i.map(async function (number, scope) {
    // everything that happens within this happens in the worker
    // this is not done localy
    var multiplier = await scope.get('multiplier') // oxlint-disable-line no-var
    return number * multiplier
  })
  for (let j = 0; j < 5; j++) {
    assert(newArray[j] === (j + 1) * 10)
  }
  SharedEventEmitter.emit('success!')
  assert.equal(succeeded, 1)
})

test('its text, in which the function is not async, word for word', async (t) => {
  const { ScalabilityManager, memory: SharedMemory } = await begin(t)
  const Iterator = new IteratorClass(ScalabilityManager)
  const i = new Iterator([1, 2, 3, 4, 5]).useScope(SharedMemory)
  await SharedMemory.set({ multiplier: 10 })
  const newArray = await i.map(`function(number, scope){
  // everything that happens within this happens in the worker
  // this is not done localy
  var multiplier = await scope.get('multiplier');
  return number * multiplier;
}`)
  assert.deepEqual(newArray, [10, 20, 30, 40, 50])
})

test('with promises, word for word', async (t) => {
  const { ScalabilityManager, memory: SharedMemory, emitter: SharedEventEmitter } = await begin(t)
  let succeeded = 0
  SharedEventEmitter.on('success!', () => succeeded++)
  const Iterator = new IteratorClass(ScalabilityManager)
  const i = new Iterator([1, 2, 3, 4, 5])
  i.useScope(SharedMemory)

  // oxfmt-ignore
  // oxlint-disable-next-line
  const p = SharedMemory.set({multiplier: 10}).then(function(){
  return i.map(function(number, scope){
    // everything that happens within this happens in the worker
    // this is not done localy
    return scope.get('multiplier').then(function(multiplier){
      return number * multiplier
    });
  })
}).then(function(newArray){
  // oxlint-disable-next-line
  for(var i = 0; i < 5; i++){
    assert(newArray[i] === (i + 1) * 10);
  }
  return newArray;
}).then(function(){
  SharedEventEmitter.emit('success!');
})
  await p
  assert.equal(succeeded, 1)
})

test('in workers too, where the function is too long to run here', async (t) => {
  const { ScalabilityManager, memory } = await begin(t)
  const Iterator = new IteratorClass(ScalabilityManager)
  const i = new Iterator([1, 2, 3, 4, 5]).useScope(memory)
  await memory.set({ multiplier: 10 })
  const local = await i.map(async function (number, scope, ctx) {
    const multiplier = await scope.get('multiplier')
    for (;;) return [number * multiplier, ctx.workerId]
  })
  assert.deepEqual(
    local.map(([value]) => value),
    [10, 20, 30, 40, 50],
  )
  assert.ok(local.every(([, worker]) => worker !== 'inline'))
})
