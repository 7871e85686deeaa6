'use strict'

const assert = require('node:assert/strict')
const { EventEmitter, once } = require('node:events')
const { after, test } = require('node:test')
const Crew = require('../../lib/machines/crew')

// The crew itself keeps no process alive: the work does.
const alive = setInterval(() => {}, 1000)
after(() => clearInterval(alive))

/** A crew of workers that are nothing but entries here. */
class Fake extends EventEmitter {
  workers = new Map()
  lost = []
  made = 0
  pending = 0
  idle = 0
  gaveUp

  constructor(options) {
    super()
    this.crew = new Crew({
      min: 0,
      max: 4,
      idleTimeout: 1_000_000,
      make: (worker, exit) => this.#make(worker, exit),
      retire: (worker) => this.emit('retire', worker),
      lost: (worker, reason) => {
        this.lost.push(reason)
        setImmediate(() => this.emit('lost'))
      },
      load: () => ({ idle: this.idle, pending: this.pending }),
      giveUp: (reason) => {
        this.gaveUp = reason
        this.emit('gaveUp')
      },
      ...options,
    })
  }

  #make(worker, exit) {
    this.made += 1
    const one = { exit, terminate: () => setImmediate(exit, 'terminated') }
    this.workers.set(worker, one)
    setImmediate(() => this.emit('made', worker, one))
    return one
  }

  /** Everything that is made comes online. */
  willing() {
    this.on('made', (worker) => this.crew.online(worker))
    return this
  }
}

test('there are no workers until some are needed, and never more than there may be', async () => {
  const fake = new Fake({ max: 3 }).willing()
  fake.crew.start()
  assert.equal(fake.made, 0)
  fake.crew.demand(2)
  fake.crew.demand(2)
  assert.equal(fake.made, 2)
  fake.crew.demand(50)
  assert.equal(fake.made, 3)
  await fake.crew.close()
  assert.equal(fake.lost.length, 3)
})

test('workers that never come online count as those that end early', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const fake = new Fake({ min: 1, max: 1 })
  const gaveUp = once(fake, 'gaveUp')
  fake.crew.start()
  const starting = assert.rejects(fake.crew.scale(1, 1), { code: 'ERR_NC_NO_WORKERS' })
  // The time they have, and what the next one has to wait.
  fake.on('made', () => t.mock.timers.tick(60_000))
  fake.on('lost', () => t.mock.timers.tick(2000))
  await Promise.all([gaveUp, starting])
  fake.removeAllListeners()
  assert.match(fake.gaveUp, /did not come online within 60000 ms/)
  assert.ok(fake.made >= 5)
  await fake.crew.close()
})

test('scale() resolves when there are as many as said', async () => {
  const fake = new Fake().willing()
  fake.on('retire', (worker) => setImmediate(() => fake.crew.retired(worker)))
  await fake.crew.scale(4, 8)
  assert.equal(fake.crew.size, 4)
  await fake.crew.scale(0, 1)
  assert.equal(fake.crew.size, 1)
  assert.deepEqual(fake.lost, ['retired', 'retired', 'retired'])
  await fake.crew.close()
})

test('a lost worker is replaced if there are too few, or there is work', async () => {
  const fake = new Fake().willing()
  await fake.crew.scale(1, 2)
  const [first] = fake.workers.keys()
  fake.workers.get(first).exit('was struck')
  const [second] = await once(fake, 'made')
  assert.notEqual(second, first)
  await fake.crew.scale(0, 2)
  fake.pending = 7
  fake.workers.get(second).exit('was struck')
  await once(fake, 'made')
  assert.equal(fake.crew.size, 1)
  fake.pending = 0
  await fake.crew.close()
})

test('workers that get lost again and again are made ever later', async () => {
  const fake = new Fake().willing()
  fake.pending = 1
  const times = []
  fake.on('made', (worker) => {
    times.push(performance.now())
    if (times.length < 8) setImmediate(() => fake.workers.get(worker).exit('was struck'))
    else fake.emit('enough')
  })
  fake.crew.demand(1)
  await once(fake, 'enough')
  // 10, 20, 40, 80, 160 and 320 ms, but for the first two.
  assert.ok(times[7] - times[0] > 500, `8 workers within ${times[7] - times[0]} ms`)
  await fake.crew.close()
})

test('if none comes online, whoever waits is told', async () => {
  const fake = new Fake()
  fake.on('made', (worker, one) => one.exit('has no legs'))
  await assert.rejects(fake.crew.scale(1, 1), { code: 'ERR_NC_NO_WORKERS', message: /has no legs/ })
  assert.equal(fake.gaveUp, 'has no legs')
  assert.equal(fake.made, 5)
  await fake.crew.close()
})

test('a worker that cannot even be made counts as one that is lost', async () => {
  const fake = new Fake({
    make() {
      throw new Error('no more threads')
    },
  })
  await assert.rejects(fake.crew.scale(1, 1), {
    code: 'ERR_NC_NO_WORKERS',
    message: /no more threads/,
  })
  await fake.crew.close()
})

test('idle workers retire, down to the least number', async () => {
  const fake = new Fake({ idleTimeout: 40 }).willing()
  const retired = []
  fake.on('retire', (worker) => {
    retired.push(worker)
    fake.idle -= 1
    setImmediate(() => fake.crew.retired(worker))
    if (retired.length === 3) fake.emit('three')
  })
  await fake.crew.scale(1, 4)
  fake.crew.demand(3)
  fake.idle = 4
  await once(fake, 'three')
  await new Promise((resolve) => setTimeout(resolve, 100))
  assert.equal(fake.crew.size, 1)
  await fake.crew.close()
})

test('busy workers do not retire', async () => {
  const fake = new Fake({ idleTimeout: 20 }).willing()
  fake.on('retire', () => assert.fail('a busy worker was retired'))
  fake.crew.demand(4)
  await new Promise((resolve) => setTimeout(resolve, 150))
  assert.equal(fake.crew.size, 4)
  await fake.crew.close()
})

test('close() may be called while workers start, and none is made after it', async () => {
  const fake = new Fake()
  fake.crew.demand(4)
  const closing = fake.crew.close()
  fake.crew.demand(4)
  await closing
  assert.equal(fake.made, 4)
  assert.equal(fake.lost.length, 4)
})
