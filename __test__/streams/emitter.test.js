'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const AsyncStreamEmitter = require('async-stream-emitter')
const Emitter = require('../../lib/streams/emitter')
const StreamDemux = require('../../lib/streams/demux')
const { HOSTILE_NAMES } = require('./hostile-names')

class Watched extends Emitter {
  constructor() {
    super()
    this.calls = []
  }

  _onListenerInterest(eventName, on) {
    this.calls.push([eventName, on])
  }
}

test('an emitter is an AsyncStreamEmitter, as are instances of its subclasses', () => {
  assert.ok(new Emitter() instanceof AsyncStreamEmitter)
  assert.ok(new Watched() instanceof Emitter)
  assert.ok(new Watched() instanceof AsyncStreamEmitter)
})

test('it has every method of AsyncStreamEmitter', () => {
  for (const name of Object.keys(AsyncStreamEmitter.prototype)) {
    assert.equal(typeof Emitter.prototype[name], 'function', name)
  }
})

test('listeners receive what is emitted while they listen', async () => {
  const emitter = new Emitter()
  emitter.emit('event', 'early')
  const next = emitter.listener('event').once()
  emitter.emit('event', 'late')
  assert.equal(await next, 'late')
})

test('an emitter nobody listens to holds no demux, whatever it is asked', () => {
  const emitter = new Emitter()
  const idle = new AsyncStreamEmitter()
  emitter.emit('event', 1)
  for (const name of Object.keys(AsyncStreamEmitter.prototype)) {
    if (name === 'emit' || name === 'listener') continue
    assert.deepEqual(emitter[name]('event', 1), idle[name]('event', 1), name)
  }
  assert.equal(emitter._demux, undefined)
})

test('the methods work as in AsyncStreamEmitter once somebody listens', async () => {
  for (const emitter of [new Emitter(), new AsyncStreamEmitter()]) {
    const consumer = emitter.listener('event').createConsumer(50)
    emitter.emit('event', 1)
    const stats = { id: 1, backpressure: 1, timeout: 50, stream: 'event' }
    assert.deepEqual(emitter.getListenerConsumerStats(1), stats)
    assert.deepEqual(emitter.getListenerConsumerStatsList('event'), [stats])
    assert.deepEqual(emitter.getAllListenersConsumerStatsList(), [stats])
    assert.equal(emitter.getListenerConsumerCount('event'), 1)
    assert.equal(emitter.getAllListenersConsumerCount(), 1)
    assert.equal(emitter.getListenerBackpressure('event'), 1)
    assert.equal(emitter.getAllListenersBackpressure(), 1)
    assert.equal(emitter.getListenerConsumerBackpressure(1), 1)
    assert.equal(emitter.hasListenerConsumer('event', 1), true)
    assert.equal(emitter.hasAnyListenerConsumer(1), true)
    emitter.closeListener('event')
    assert.deepEqual(await consumer.next(), { value: 1, done: false })
    emitter.killListenerConsumer(1)
    assert.equal((await consumer.next()).done, true)
    assert.equal(emitter.hasAnyListenerConsumer(1), false)
  }
})

test('the demux is ours, made on first use and kept', () => {
  const emitter = new Emitter()
  const demux = emitter._listenerDemux
  assert.ok(demux instanceof StreamDemux)
  assert.equal(emitter._listenerDemux, demux)
  emitter.listener('event')
  assert.equal(emitter._listenerDemux, demux)
})

test('subclasses hear when an event is listened to and when no more', async () => {
  const emitter = new Watched()
  const first = emitter.listener('event').createConsumer()
  const second = emitter.listener('event').createConsumer()
  assert.deepEqual(emitter.calls, [['event', true]])
  first.return()
  second.return()
  assert.deepEqual(emitter.calls, [
    ['event', true],
    ['event', false],
  ])
})

test('emitters do not share interest', () => {
  const [first, second] = [new Watched(), new Watched()]
  first.listener('event').createConsumer()
  assert.deepEqual(second.calls, [])
  assert.equal(second.getAllListenersConsumerCount(), 0)
})

test('killing all listeners ends the loops', async () => {
  const emitter = new Watched()
  const loops = ['a', 'b'].map(async (name) => {
    for await (const value of emitter.listener(name)) assert.fail(value)
  })
  emitter.killAllListeners()
  await Promise.all(loops)
  assert.equal(emitter.calls.length, 4)
})

for (const name of HOSTILE_NAMES) {
  test(`an event may be called ${JSON.stringify(name)}`, async () => {
    const emitter = new Watched()
    emitter.emit(name, 'nobody listens')
    const next = emitter.listener(name).once()
    emitter.emit(name, 1)
    assert.equal(await next, 1)
    assert.deepEqual(emitter.calls, [
      [name, true],
      [name, false],
    ])
  })
}
