'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const WritableConsumableStream = require('writable-consumable-stream')
const Stream = require('../../lib/streams/stream')

const TURNS = 400

/** Numbers that look random and are the same in each run. */
function numbers(seed) {
  let state = seed
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
}

/** What happens in each turn of the microtask queue to loops over a stream that is written to. */
async function script(Class, seed) {
  const next = numbers(seed)
  const stream = new Class()
  const log = []
  let turn = 0
  let loops = 0

  async function loop() {
    const name = loops++
    const consumer = stream.createConsumer()
    const stopAt = next(3) ? Infinity : next(6)
    let seen = 0
    for await (const value of consumer) {
      log.push([turn, name, value, consumer.getBackpressure(), stream.getConsumerCount()])
      if (++seen === stopAt) break
      for (let wait = next(4) ? 0 : next(6); wait > 0; wait--) await undefined
    }
    log.push([turn, name, 'end', consumer.getStats(), consumer.isAlive])
  }

  const steps = [
    () => loop(),
    () => stream.next().then((result) => log.push([turn, 'next', result])),
    () => stream.once().then((value) => log.push([turn, 'once', value])),
    () => stream.writeToConsumer(1 + next(4), `to ${turn}`),
    () => !next(4) && stream.close(`close ${turn}`),
    () => !next(4) && stream.closeConsumer(1 + next(4), `close ${turn}`),
    () => !next(4) && stream.kill(`kill ${turn}`),
    () => !next(4) && stream.killConsumer(1 + next(4), `kill ${turn}`),
  ]
  for (; turn < TURNS; turn++) {
    await undefined
    const choice = next(24)
    if (choice < steps.length) steps[choice]()
    else if (choice < 18) stream.write(turn)
    else if (choice < 20)
      for (let count = next(5); count > 0; count--) stream.write(`${turn}/${count}`)
  }
  return log.slice()
}

test('loops see a stream just as they see that of SocketCluster, turn by turn', async () => {
  for (let seed = 1; seed <= 100; seed++) {
    const expected = await script(WritableConsumableStream, seed)
    assert.deepEqual(await script(Stream, seed), expected, `seed ${seed}`)
  }
})

test('a consumer that gave up goes on with what comes after that', async () => {
  const stream = new Stream()
  const consumer = stream.createConsumer()
  stream.write('before')
  consumer.return()
  stream.write('between')
  const next = consumer.next()
  stream.write('after')
  assert.deepEqual(await next, { value: 'after', done: false })
})

test('a timeout rejects the next value, and a value in time stops it', async () => {
  const stream = new Stream()
  const consumer = stream.createConsumer(20)
  stream.write(1)
  assert.deepEqual(await consumer.next(), { value: 1, done: false })
  await assert.rejects(consumer.next(), { name: 'TimeoutError' })
  assert.equal(stream.getConsumerCount(), 0)
})

test('a value that one loop has taken does not lead to later ones', async () => {
  const stream = new Stream()
  const first = stream.tailNode
  const consumer = stream.createConsumer()
  stream.write(1)
  stream.write(2)
  await consumer.next()
  assert.equal(first.next, null)

  const other = stream.createConsumer()
  const second = consumer.currentNode
  await consumer.next()
  assert.notEqual(second.next, null)
  other.return()
})

test('a stream is waiting while its only loop has nothing left', async () => {
  const stream = new Stream()
  const consumer = stream.createConsumer()
  assert.equal(stream.isWaiting, false)
  const next = consumer.next()
  assert.equal(stream.isWaiting, true)
  stream.write(1)
  assert.equal(stream.isWaiting, false)
  await next
  consumer.next()
  assert.equal(stream.isWaiting, true)
  stream.createConsumer()
  assert.equal(stream.isWaiting, false)
})
