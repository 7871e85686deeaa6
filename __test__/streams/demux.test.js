'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const ConsumableStream = require('consumable-stream')
const StreamDemux = require('../../lib/streams/demux')
const { HOSTILE_NAMES } = require('./hostile-names')

function collect(stream) {
  const values = []
  const done = (async () => {
    for await (const value of stream) values.push(value)
    return values
  })()
  return { values, done }
}

/** A demux which records what it tells about interest. */
function recording() {
  const calls = []
  const demux = new StreamDemux({ onInterest: (name, on) => calls.push([name, on]) })
  return { calls, demux }
}

test('values reach every consumer of their stream and no other', async () => {
  const demux = new StreamDemux()
  const first = collect(demux.stream('a'))
  const second = collect(demux.stream('a'))
  const other = collect(demux.stream('b'))
  demux.write('a', 1)
  demux.write('b', 2)
  demux.write('a', 3)
  demux.closeAll()
  assert.deepEqual(await first.done, [1, 3])
  assert.deepEqual(await second.done, [1, 3])
  assert.deepEqual(await other.done, [2])
})

test('a value written to a stream nobody consumes is dropped', async () => {
  const demux = new StreamDemux()
  demux.write('a', 'early')
  const next = demux.stream('a').next()
  demux.write('a', 'late')
  assert.deepEqual(await next, { value: 'late', done: false })
})

test('stream handles are consumable streams and know their name', () => {
  const handle = new StreamDemux().stream('a')
  assert.ok(handle instanceof ConsumableStream)
  assert.equal(handle.name, 'a')
})

test('consumer ids count from 1 across all streams of a demux', () => {
  const demux = new StreamDemux()
  const ids = ['a', 'b', 'a'].map((name) => demux.createConsumer(name).id)
  assert.deepEqual(ids, [1, 2, 3])
  assert.equal(new StreamDemux().createConsumer('a').id, 1)
})

test('a stream goes when its last consumer goes', () => {
  const demux = new StreamDemux()
  const first = demux.createConsumer('a')
  const second = demux.createConsumer('a')
  first.return()
  assert.equal(demux.getConsumerCount('a'), 1)
  second.return()
  assert.equal(demux._streams.size, 0)
})

test('a consumer of a forgotten stream stays out of the stream created since', async () => {
  const demux = new StreamDemux()
  const old = demux.createConsumer('a')
  demux.unstream('a')
  const current = demux.createConsumer('a')
  old.return()
  assert.ok(demux.hasConsumer('a', current.id))

  const pending = old.next()
  assert.equal(demux.getConsumerCount('a'), 1)
  demux.write('a', 'new')
  assert.deepEqual(await current.next(), { value: 'new', done: false })
  old.kill('over')
  assert.deepEqual(await pending, { value: 'over', done: true })
  assert.ok(demux.hasConsumer('a', current.id))
})

test('a returned consumer registers again when next is called while the stream lives', async () => {
  const demux = new StreamDemux()
  const keeper = demux.createConsumer('a')
  const consumer = demux.createConsumer('a')
  consumer.return()
  const next = consumer.next()
  assert.equal(demux.getConsumerCount('a'), 2)
  demux.write('a', 1)
  assert.deepEqual(await next, { value: 1, done: false })
  keeper.return()
})

test('killing ends consumers at once, closing after what was written', async () => {
  const demux = new StreamDemux()
  const closed = demux.createConsumer('closed')
  const killed = demux.createConsumer('killed')
  for (const name of ['closed', 'killed']) demux.write(name, 1)
  demux.close('closed', 'end')
  demux.kill('killed', 'end')
  assert.deepEqual(await closed.next(), { value: 1, done: false })
  assert.deepEqual(await closed.next(), { value: 'end', done: true })
  assert.deepEqual(await killed.next(), { value: 'end', done: true })
})

test('a timeout rejects with a TimeoutError and removes the consumer', async () => {
  const demux = new StreamDemux()
  await assert.rejects(demux.stream('a').once(5), { name: 'TimeoutError' })
  assert.equal(demux.getConsumerCountAll(), 0)
})

test('single consumers can be written to, closed, killed and measured', async () => {
  const demux = new StreamDemux()
  const first = demux.createConsumer('a')
  const second = demux.createConsumer('a', 500)
  demux.writeToConsumer(1, 'only first')
  demux.closeConsumer(1, 'end')
  assert.deepEqual(demux.getConsumerStats(2), {
    id: 2,
    backpressure: 2,
    timeout: 500,
    stream: 'a',
  })
  assert.equal(demux.getConsumerBackpressure(1), 2)
  assert.deepEqual(await first.next(), { value: 'only first', done: false })
  assert.deepEqual(await first.next(), { value: 'end', done: true })
  demux.killConsumer(2, 'killed')
  assert.deepEqual(await second.next(), { value: 'killed', done: true })
})

test('asking about what does not exist gives zero, false, undefined or nothing', () => {
  const demux = new StreamDemux()
  assert.equal(demux.getBackpressure('a'), 0)
  assert.equal(demux.getBackpressureAll(), 0)
  assert.equal(demux.getConsumerBackpressure(1), 0)
  assert.equal(demux.getConsumerCount('a'), 0)
  assert.equal(demux.getConsumerCountAll(), 0)
  assert.equal(demux.getConsumerStats(1), undefined)
  assert.deepEqual(demux.getConsumerStatsList('a'), [])
  assert.deepEqual(demux.getConsumerStatsListAll(), [])
  assert.equal(demux.hasConsumer('a', 1), false)
  assert.equal(demux.hasConsumerAll(1), false)
  demux.killConsumer(1)
  demux.closeConsumer(1)
  demux.writeToConsumer(1)
})

test('stream names are compared like property names', async () => {
  const demux = new StreamDemux()
  const next = demux.stream(1).next()
  demux.write('1', 'one')
  assert.equal((await next).value, 'one')
})

test('interest is told for the first and the last consumer only', () => {
  const { calls, demux } = recording()
  const first = demux.createConsumer('a')
  const second = demux.createConsumer('a')
  first.return()
  assert.deepEqual(calls, [['a', true]])
  second.return()
  second.return()
  assert.deepEqual(calls, [
    ['a', true],
    ['a', false],
  ])
})

test('interest ends with kill, close, timeout and unstream', async () => {
  const { calls, demux } = recording()
  const loop = collect(demux.stream('killed'))
  demux.kill('killed')
  await loop.done
  const closing = collect(demux.stream('closed'))
  demux.close('closed')
  await closing.done
  await assert.rejects(demux.stream('timeout').next(1))
  const forgotten = demux.createConsumer('forgotten')
  demux.unstream('forgotten')
  forgotten.return()
  const expected = ['killed', 'closed', 'timeout', 'forgotten']
  assert.deepEqual(
    calls,
    expected.flatMap((name) => [
      [name, true],
      [name, false],
    ]),
  )
})

test('a handle alone is no interest', () => {
  const { calls, demux } = recording()
  demux.stream('a')
  assert.deepEqual(calls, [])
})

test('an interest callback may write to the stream and consume others', async () => {
  let created = 0
  const demux = new StreamDemux({
    onInterest(name, on) {
      if (on) demux.write(name, 'welcome')
      else if (created++ < 3) demux.createConsumer(`${name}+`)
    },
  })
  assert.equal(await demux.stream('a').once(), 'welcome')
  demux.killAll()
  assert.equal(demux.getConsumerCountAll(), 1)
})

for (const name of HOSTILE_NAMES) {
  test(`a stream may be called ${JSON.stringify(name)}`, async () => {
    const { calls, demux } = recording()
    demux.write(name, 'nobody listens')
    demux.close(name)
    demux.kill(name)
    demux.unstream(name)
    assert.equal(demux.getBackpressure(name), 0)
    assert.deepEqual(demux.getConsumerStatsList(name), [])
    const loop = collect(demux.stream(name))
    demux.write(name, 1)
    assert.equal(demux.getConsumerCount(name), 1)
    assert.equal(demux.getConsumerStats(1).stream, name)
    demux.close(name)
    assert.deepEqual(await loop.done, [1])
    assert.deepEqual(calls, [
      [name, true],
      [name, false],
    ])
    assert.equal({}.polluted, undefined)
  })
}
