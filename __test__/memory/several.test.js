'use strict'

// Several threads, and several processes, at once.

const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { SharedMemoryClass } = require('../../lib/memory')
const { child, crew, freeUrl, thread, together } = require('./support/crew.js')
const { byKey, isLinearizable } = require('./support/linearizable.js')

const MEMBERS = 4
const TOKEN = 'only tests know this'

/** @returns {Promise<any>} a memory of this thread, and others that use it */
async function threads(t, count = MEMBERS) {
  const memory = new SharedMemoryClass()
  t.after(() => memory.close())
  return { memory, members: await crew(t, count, () => thread()) }
}

async function processes(t, count = MEMBERS) {
  const url = await freeUrl('several')
  const options = { token: TOKEN }
  // The first one to ask for the address serves it.
  const [owner] = await crew(t, 1, () => child({ url, options }))
  const memory = new SharedMemoryClass(url, options)
  t.after(() => memory.close())
  const others = await crew(t, count - 1, () => child({ url, options }))
  return { memory, members: [owner, ...others] }
}

for (const [name, start, scale] of [
  ['threads', threads, 4],
  ['processes', processes, 1],
]) {
  describe(`several ${name} at once`, () => {
    test('every method', async (t) => {
      const { members } = await start(t)
      for (const seen of await together(members, 'everything')) {
        assert.deepEqual(seen, [
          { list: [1] },
          1,
          2,
          true,
          3,
          true,
          true,
          6,
          7,
          true,
          3,
          3,
          true,
          { list: [1] },
        ])
      }
    })

    for (const [way, times] of Object.entries({
      increment: 500,
      update: 50,
      transaction: 50,
      lock: 50,
      runOnKey: 50,
    })) {
      test(`counters are exact: ${way}`, async (t) => {
        const { memory, members } = await start(t)
        const key = `counter ${way}`
        await memory.delete(key)
        await together(members, 'countBy', { key, times: times * scale, way })
        assert.equal(await memory.get(key), MEMBERS * times * scale)
      })
    }

    test('histories of reads, writes and compareAndSet are linearizable', async (t) => {
      const { members } = await start(t)
      for (let seed = 1; seed <= 5; seed++) {
        const keys = [`history ${seed} a`, `history ${seed} b`, `history ${seed} c`]
        const histories = await together(members, 'history', { keys, times: 100 * scale, seed })
        for (const [key, history] of byKey(histories.flat())) {
          assert.ok(isLinearizable(history, undefined), key)
          const swapped = history.filter(({ op, done }) => op === 'cas' && done).length
          assert.ok(swapped > 0, `${swapped} of ${history.length}`)
        }
      }
    })

    test('transactions are serialisable: no money is lost', async (t) => {
      const { memory, members } = await start(t)
      const accounts = Array.from({ length: 10 }, (_, i) => [`account ${i}`, 1000])
      await memory.set(Object.fromEntries(accounts))
      const total = 10_000
      const wrong = await together(members, 'bank', { accounts: 10, times: 100, total })
      assert.deepEqual(wrong, [0, 0, 0, 0])
      const left = await memory.getMany(accounts.map(([account]) => account))
      assert.equal(
        Object.values(left).reduce((a, b) => a + b),
        total,
      )
    })

    test('locks exclude each other, and their tokens rise', async (t) => {
      const { members } = await start(t)
      const results = await together(members, 'exclude', { key: 'gate', times: 50 })
      assert.ok(results.every(({ wrong }) => wrong === 0))
      const tokens = results.flatMap((result) => result.tokens)
      assert.equal(new Set(tokens).size, MEMBERS * 50)
      for (const { tokens } of results) assert.deepEqual(tokens, tokens.toSorted())
    })

    test('a lock is free when who has it is gone', async (t) => {
      const { memory, members } = await start(t, 3)
      const holder = members[2]
      const token = await holder.run('hold', { key: 'orphan', leaseTime: 3_600_000 })
      const waiting = memory.lock('orphan')
      const waits = Symbol('waits')
      const first = memory.get('x').then(() => waits)
      assert.equal(await Promise.race([waiting, first]), waits)
      void holder.end()
      const lock = await waiting
      assert.ok(lock.token > token)
      assert.equal(await lock.release(), true)
    })

    test('all see all changes in the same order', async (t) => {
      const { memory, members } = await start(t)
      const watches = [memory.watch({ prefix: 'order ' }), memory.watch({ prefix: 'order ' })]
      await memory.set('order', 1)
      await Promise.all(
        members.map((member, i) => member.run('each', { key: `order ${i}`, times: 100 })),
      )
      await memory.set('order end', true)
      const seen = []
      for (const watch of watches) {
        const changes = []
        for await (const { key, value, version } of watch) {
          changes.push(`${version} ${key} ${value}`)
          if (key === 'order end') break
        }
        seen.push(changes)
      }
      assert.deepEqual(seen[0], seen[1])
      assert.equal(seen[0].length, MEMBERS * 100 + 1)
      assert.deepEqual(seen[0], seen[0].toSorted())
    })
  })
}

test('a turn is free when the thread that has it is gone', async (t) => {
  const { memory, members } = await threads(t, 1)
  await members[0].run('holdTurn', { key: 'orphan' })
  const turn = memory.runOnKey('orphan', () => 'mine')
  void members[0].end()
  assert.equal(await turn, 'mine')
})

test('what threads read near them is never older than a write that has returned', async (t) => {
  const { members } = await threads(t)
  for (let seed = 1; seed <= 5; seed++) {
    const key = `near ${seed}`
    const histories = await together(members, 'nearHistory', { key, times: 400, seed })
    assert.ok(isLinearizable(histories.flat(), undefined), key)
  }
})

test('the checker finds what is not linearizable', () => {
  const at = (start, end, rest) => ({ start: BigInt(start), end: BigInt(end), ...rest })
  const set = (start, end, value) => at(start, end, { op: 'set', value })
  const get = (start, end, value) => at(start, end, { op: 'get', value })
  const cas = (start, end, from, value, done) => at(start, end, { op: 'cas', from, value, done })
  const right = [
    [],
    [set(0, 1, 'a'), get(2, 3, 'a')],
    [set(0, 9, 'a'), get(2, 3, undefined), get(4, 5, 'a')],
    [cas(0, 5, undefined, 'a', true), cas(0, 5, undefined, 'b', false), get(6, 7, 'a')],
    [set(0, 1, 'a'), at(2, 3, { op: 'delete', existed: true }), cas(4, 5, undefined, 'b', true)],
  ]
  const wrong = [
    [get(0, 1, 'a'), set(2, 3, 'a')],
    [set(0, 1, 'a'), set(2, 3, 'b'), get(4, 5, 'a')],
    [set(0, 9, 'a'), get(2, 3, 'a'), get(4, 5, undefined)],
    [cas(0, 5, undefined, 'a', true), cas(0, 5, undefined, 'b', true)],
    [set(0, 1, 'a'), at(2, 3, { op: 'delete', existed: false })],
  ]
  for (const history of right) assert.equal(isLinearizable(history, undefined), true)
  for (const history of wrong) assert.equal(isLinearizable(history, undefined), false)
})
