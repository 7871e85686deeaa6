'use strict'

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { setting } = require('./support')

const limit = { timeout: 60_000 }
/** More than a connection carries besides the queue, in all. */
const MANY = 2000
const BIG = 'x'.repeat(64 * 1024)

/** An emitter here that serves, and a process that listens with this policy and does not read. */
async function stopped(t, overflow) {
  const { station, open } = await setting(t)
  const emitter = open()
  const peer = await station({ maxQueue: 3, overflow })
  await peer.ask('ready')
  await peer.ask('onNumbers', 'x')
  while ((await emitter.emitAsync('y')) === 0 && (await emitter.emitAsync('x', -1)) === 0);
  await peer.ask('heardUntil', -1)
  peer.child.kill('SIGSTOP')
  return { emitter, peer }
}

/** Emits numbers, one a turn, until `full` says so. Returns the last of them. */
async function fill(emitter, full) {
  for (let number = 0; number < MANY; number++) {
    if (await full(number)) return number
    await new Promise((resolve) => setImmediate(resolve))
  }
  return assert.fail('it takes everything')
}

for (const overflow of /** @type {const} */ (['drop-oldest', 'drop-newest'])) {
  test(`a process that does not read: ${overflow}`, limit, async (t) => {
    const { emitter, peer } = await stopped(t, overflow)
    let [dropped, stuck] = [0, 0]
    const last = await fill(emitter, async (number) => {
      assert.equal(emitter.emit('x', number, BIG), true)
      const before = dropped
      dropped = (await emitter.stats()).dropped
      stuck = dropped > before ? stuck + 1 : 0
      return stuck === 10
    })
    peer.child.kill('SIGCONT')
    // The rest is heard, and how many are missing is told with it.
    let missed = 0
    while (missed < dropped) missed = (await peer.ask('stats')).missed
    assert.equal(missed, dropped)
    const heard = (await peer.ask('heard', last + 1 - dropped)).map(([number]) => number)
    assert.equal(heard.length, last + 1 - dropped)
    assert.equal(heard.at(-1) === last, overflow === 'drop-oldest')
    assert.deepEqual(
      heard,
      heard.toSorted((a, b) => a - b),
    )
    assert.equal((await emitter.stats()).missed, 0)
  })
}

test('a process that does not read: error', limit, async (t) => {
  const { emitter, peer } = await stopped(t, 'error')
  /** @type {number[]} */
  const accepted = []
  let refused = 0
  let number = await fill(emitter, (next) => {
    if (emitter.emit('x', next, BIG)) accepted.push(next)
    else refused++
    return refused === 10
  })
  await assert.rejects(
    async () => {
      while (++number < MANY) {
        await emitter.emitAsync('x', number, BIG)
        accepted.push(number)
      }
    },
    { code: 'ERR_NC_QUEUE_FULL' },
  )
  assert.equal((await emitter.stats()).dropped, 0)
  peer.child.kill('SIGCONT')
  const heard = await peer.ask('heard', accepted.length)
  assert.deepEqual(
    heard.map(([of]) => of),
    accepted,
  )
  assert.equal(await emitter.emitAsync('x', 'again'), 1)
  assert.deepEqual(await peer.ask('heard', 1), [['again']])
})

test('of two processes, one that refuses refuses for both', limit, async (t) => {
  const { station } = await setting(t)
  const owner = await station()
  const [refusing, other] = [await station({ maxQueue: 1, overflow: 'error' }), await station()]
  for (const each of [refusing, other]) {
    await each.ask('ready')
    await each.ask('onNumbers', 'x')
  }
  while ((await other.ask('emitAsync', 'x', -1)) < 2);
  refusing.child.kill('SIGSTOP')
  let number = 0
  for (const each of [owner, other]) {
    await assert.rejects(
      async () => {
        while (number < MANY) await each.ask('emitAsync', 'x', ++number, BIG)
      },
      { code: 'ERR_NC_QUEUE_FULL' },
    )
  }
  refusing.child.kill('SIGCONT')
  while ((await other.ask('emitAsync', 'x', 'last').catch(() => 0)) < 2);
  const [a, b] = await Promise.all([refusing, other].map((it) => it.ask('heardUntil', 'last')))
  const emitted = (heard) => heard.filter(([of]) => of !== -1)
  assert.deepEqual(emitted(a), emitted(b))
})

test('more is sent than a connection takes at once', limit, async (t) => {
  const { station, open } = await setting(t)
  const emitter = open()
  const peer = await station()
  await peer.ask('ready')
  await peer.ask('onNumbers', 'x')
  while ((await emitter.emitAsync('x', -1)) === 0);
  peer.child.kill('SIGSTOP')
  for (let number = 0; number < 900; number++) emitter.emit('x', number, BIG)
  const big = 'x'.repeat(100 * 1024 * 1024)
  peer.child.kill('SIGCONT')
  await peer.ask('heardUntil', 899)
  emitter.emit('x', 'big', big)
  await peer.ask('heardUntil', 'big')
  assert.equal((await emitter.stats()).dropped, 0)
})
