'use strict'

const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { places } = require('./support/places.js')

for (const { name, open } of places) {
  describe(`a lock of a memory ${name}`, () => {
    test('is given to one after the other, in the order in which they asked', async (t) => {
      const memory = await open(t)
      const order = []
      let inside = 0
      const enter = async (i) => {
        const lock = await memory.lock('fifo')
        assert.equal(++inside, 1)
        order.push(i)
        await memory.increment('n')
        inside--
        assert.equal(await lock.release(), true)
        return lock.token
      }
      const tokens = await Promise.all(Array.from({ length: 20 }, (_, i) => enter(i)))
      assert.deepEqual(order, [...order.keys()])
      assert.deepEqual(tokens, tokens.toSorted())
    })

    test('has nothing to do with the value of its name, nor with the turn of that key', async (t) => {
      const memory = await open(t)
      const lock = await memory.lock('name')
      assert.deepEqual([lock.key, await memory.has('name')], ['name', false])
      assert.equal(await memory.runOnKey('name', () => 1), 1)
      assert.equal((await memory.stats()).locks, 1)
      await lock[Symbol.asyncDispose]()
      assert.equal((await memory.stats()).locks, 0)
      assert.equal(await lock.release(), true)
    })

    test('is free when its lease is over, of which who had it is told', async (t) => {
      const memory = await open(t)
      const first = await memory.lock('lease', { leaseTime: 30 })
      const second = await memory.lock('lease')
      assert.ok(second.token > first.token)
      assert.equal(await first.release(), false)
      assert.equal(await second.release(), true)
    })

    test('is held for longer if its lease is renewed', async (t) => {
      const memory = await open(t)
      const lock = await memory.lock('renew', { leaseTime: 50 })
      assert.equal(await lock.renew(60_000), true)
      const watch = memory.watch('clock')
      await memory.set('clock', 1, { ttl: 80 })
      for (const type of ['set', 'expire']) assert.equal((await watch.next()).value.type, type)
      assert.equal(await lock.renew(1), true)
      const next = await memory.lock('renew')
      assert.equal(await lock.renew(1000), false)
      assert.equal(await lock.release(), false)
      assert.equal(await next.release(), true)
      assert.equal(await next.renew(1000), false)
      await assert.rejects(next.renew(0), { code: 'ERR_NC_INVALID_ARG' })
      await watch.return()
    })

    test('is waited for no longer than its signal says', async (t) => {
      const memory = await open(t)
      const lock = await memory.lock('signal')
      const control = new AbortController()
      const waiting = memory.lock('signal', { signal: control.signal })
      const next = memory.lock('signal')
      const reason = new RangeError('enough')
      control.abort(reason)
      await assert.rejects(waiting, reason)
      await lock.release()
      const { token } = await next
      assert.ok(token > lock.token)
      await (await next).release()
      // One that has been given already is not taken away.
      const held = await memory.lock('signal', { signal: AbortSignal.timeout(60_000) })
      assert.equal(await held.release(), true)
      const late = new AbortController()
      const kept = await memory.lock('signal', { signal: late.signal })
      late.abort()
      assert.equal(await kept.release(), true)
      assert.equal((await memory.stats()).locks, 0)
    })

    test('that is asked for and given up at once is left to nobody', async (t) => {
      const memory = await open(t)
      for (let i = 0; i < 50; i++) {
        const control = new AbortController()
        const waiting = memory.lock('race', { signal: control.signal })
        if (i % 2 === 0) await Promise.resolve()
        control.abort()
        // It may have been given first.
        await waiting.then(
          (lock) => lock.release(),
          () => {},
        )
      }
      assert.equal(await (await memory.lock('race')).release(), true)
    })

    test('waits no more when the memory is closed', async (t) => {
      const memory = await open(t)
      await memory.lock('closed')
      const waiting = memory.lock('closed')
      await memory.get('x')
      await memory.close()
      await assert.rejects(waiting, { code: 'ERR_NC_CLOSED' })
    })
  })
}
