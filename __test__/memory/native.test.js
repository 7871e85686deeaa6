'use strict'

// The addon's part of shared memory, without what lib/ makes of it.

const assert = require('node:assert/strict')
const { once } = require('node:events')
const path = require('node:path')
const { test } = require('node:test')
const { Worker } = require('node:worker_threads')
const { NativeMemory } = require('../../lib/core/native.js')

const TAGS = { NUMBER: 1, LATIN1: 2, UTF16: 3, NULL: 6, JSON: 8, JSON16: 9, BYTES: 11 }

/** A memory of its own, and what its calls tell. */
function open(t, name) {
  const memory = new NativeMemory(name)
  const out = new Float64Array(8)
  memory.scratch(out)
  t.after(() => memory.close())
  return { memory, out }
}

test('strings come back as they were, whatever their length and characters', (t) => {
  const { memory, out } = open(t, 'strings')
  for (const length of [0, 1, 10, 11, 21, 22, 509, 510, 511, 512, 513, 100_000]) {
    for (const unit of ['x', 'é', '日', '\0', '\ud800']) {
      const text = unit.repeat(length)
      for (const json of [false, true]) {
        memory.setString('k', text, json)
        assert.equal(memory.get('k'), text)
        const wide = length > 0 && unit > 'ÿ'
        const [one, two] = json ? [TAGS.JSON, TAGS.JSON16] : [TAGS.LATIN1, TAGS.UTF16]
        assert.equal(out[0], wide ? two : one)
      }
    }
  }
})

test('other values come back with their tag', (t) => {
  const { memory, out } = open(t, 'values')
  for (const number of [0, -0, 1.5, NaN, -Infinity]) {
    memory.setNumber('k', number)
    assert.ok(Object.is(memory.get('k'), number))
    assert.equal(out[0], TAGS.NUMBER)
  }
  for (const length of [0, 21, 22, 5000]) {
    const bytes = new Uint8Array(length).fill(7)
    memory.setBytes('k', TAGS.BYTES, bytes)
    assert.deepEqual(new Uint8Array(memory.get('k')), bytes)
    assert.equal(out[0], TAGS.BYTES)
  }
  memory.setTag('k', TAGS.NULL)
  assert.equal(memory.get('k'), undefined)
  assert.equal(out[0], TAGS.NULL)
  memory.delete('k')
  assert.equal(memory.get('k'), undefined)
  assert.equal(out[0], 0)
})

test('what makes no sense is refused with a code', (t) => {
  const { memory } = open(t, 'refused')
  const invalid = (code, call) => assert.throws(call, { code })
  for (const key of ['', 'x'.repeat(1025), 'é'.repeat(513), '日'.repeat(5000)]) {
    invalid('ERR_NC_INVALID_KEY', () => memory.get(key))
    invalid('ERR_NC_INVALID_KEY', () => memory.lock(key, 1, false))
    invalid('ERR_NC_INVALID_KEY', () => memory.watch(key, false, 0, 0, false))
  }
  for (const key of [undefined, null, 1, {}]) {
    invalid('ERR_NC_INVALID_ARG', () => memory.get(key))
  }
  invalid('ERR_NC_INVALID_ARG', () => memory.get())
  invalid('ERR_NC_INVALID_ARG', () => memory.setNumber('k', '1'))
  invalid('ERR_NC_INVALID_ARG', () => memory.setString('k', 1, false))
  invalid('ERR_NC_INVALID_ARG', () => memory.setString('k', '1'))
  invalid('ERR_NC_INVALID_ARG', () => memory.setBytes('k', TAGS.BYTES, new Float64Array(1)))
  invalid('ERR_NC_INVALID_ARG', () => memory.setBytes('k', 99, new Uint8Array(1)))
  invalid('ERR_NC_INVALID_VALUE', () => memory.setTag('k', TAGS.NUMBER))
  invalid('ERR_NC_INVALID_ARG', () => memory.commit(new Uint8Array(3)))
  invalid('ERR_NC_INVALID_ARG', () => memory.scratch(new Float64Array(7)))
  invalid('ERR_NC_INVALID_ARG', () => memory.setPage('k', TAGS.BYTES, 1))
  invalid('ERR_NC_INVALID_ARG', () => memory.page(new Uint8Array(4095)))
  invalid('ERR_NC_INVALID_ARG', () => memory.page(new Float64Array(4096)))
  memory.page(new Uint8Array(4096))
  invalid('ERR_NC_INVALID_ARG', () => memory.setPage('k', TAGS.BYTES, 4097))
  invalid('ERR_NC_INVALID_ARG', () => memory.setPage('k', 99, 1))
  invalid('ERR_NC_INVALID_VALUE', () => memory.setPage('k', TAGS.NUMBER, 9))
  invalid('ERR_NC_INVALID_ARG', () => memory.scan(64, '', '', false))
  memory.setString('k', 'text', false)
  invalid('ERR_NC_INVALID_VALUE', () => memory.increment('k', 1))
  invalid('ERR_NC_INVALID_VALUE', () => memory.increment('n', Infinity))
  invalid('ERR_NC_INVALID_ARG', () => new NativeMemory('sizes', { maxBytes: 0 }))
  invalid('ERR_NC_INVALID_ARG', () => new NativeMemory('sizes', { maxValueBytes: 2 ** 30 }))
})

test('a closed handle refuses writes, and its functions work without it', (t) => {
  const { memory } = open(t, 'closed')
  const { get, setNumber } = memory
  setNumber('k', 1)
  assert.equal(get('k'), 1)
  memory.close()
  memory.close()
  assert.throws(() => setNumber('k', 2), { code: 'ERR_NC_CLOSED' })
  assert.throws(() => memory.lock('k', 1, false), { code: 'ERR_NC_CLOSED' })
  assert.equal(get('k'), 1)
  assert.deepEqual(memory.drain(), [])
})

test('threads that are ended in the middle of it leave nothing behind', async (t) => {
  const { memory } = open(t, 'busy')
  const file = path.join(__dirname, 'support', 'busy.js')
  /** Ends a thread after so many rounds. */
  async function run(rounds) {
    const worker = new Worker(file)
    worker.on('message', (round) => {
      if (round === rounds) void worker.terminate()
    })
    await once(worker, 'exit')
  }
  for (let at = 0; at < 6; at++) {
    await Promise.all([run(1), run(3 + at), run(10 * at + 1), run(30)])
  }
  const { locks, watchers, clients } = memory.stats()
  assert.deepEqual({ locks, watchers, clients }, { locks: 0, watchers: 0, clients: 1 })
  const id = memory.lock('lock1', 0, true)
  assert.deepEqual(memory.drain().slice(0, 2), [1, id])
})
