'use strict'

// Memories that are stored in a directory.

const assert = require('node:assert/strict')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { test } = require('node:test')
const { Data } = require('../..')
const { SharedMemoryClass } = require('../../lib/memory')
const { child, freeUrl } = require('./support/crew.js')

/** @param {import('node:test').TestContext} t */
function temporary(t) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'es-networkcluster-memory-'))
  t.after(() => fs.rmSync(directory, { recursive: true, force: true }))
  return directory
}

test('what was set is there when the directory is opened again', async (t) => {
  const durable = { directory: temporary(t) }
  const first = new SharedMemoryClass(await freeUrl('stored'), { durable })
  t.after(() => first.close())
  const version = await first.set('a', { at: new Date(5) })
  await first.set({ b: 1, c: 2 })
  await first.delete('c')
  await first.close()

  const second = new SharedMemoryClass(await freeUrl('stored'), { durable })
  t.after(() => second.close())
  assert.deepEqual(await second.getMany(['a', 'b', 'c']), { a: { at: new Date(5) }, b: 1 })
  assert.equal((await second.getEntry('a')).version, version)
  const watch = second.watch({ prefix: '' }, { since: version })
  const seen = [await watch.next(), await watch.next()].map(({ value }) => [value.type, value.key])
  assert.deepEqual(seen, [
    ['set', 'b'],
    ['delete', 'c'],
  ])
})

test('what was set survives the process that had it, which is killed', async (t) => {
  const url = await freeUrl('taken-over')
  const durable = { directory: temporary(t) }
  const owner = await child({ url, options: { durable } })
  t.after(() => owner.end())
  const memory = new SharedMemoryClass(url, { durable })
  t.after(() => memory.close())
  await memory.set('a', 'kept')
  process.kill(owner.id, 'SIGKILL')
  while (!(await taken(memory)));
  assert.equal(memory.getSync('a'), 'kept')
})

/** Whether this process has the memory by now. */
async function taken(memory) {
  await memory.get('a').catch(() => {})
  try {
    memory.getSync('a')
    return true
  } catch {
    return false
  }
}

test('a Data machine that persists', async (t) => {
  const persist = temporary(t)
  for (const before of [undefined, 1]) {
    const data = new Data({ persist })
    await data.start()
    assert.equal(await data.memory.get('runs'), before)
    await data.memory.increment('runs')
    await data.close()
  }
})

test('a directory has one memory, and a memory is stored from the start', async (t) => {
  const durable = { directory: temporary(t) }
  const url = await freeUrl('one')
  const memory = new SharedMemoryClass(url, { durable })
  t.after(() => memory.close())
  const other = await freeUrl('two')
  assert.throws(() => new SharedMemoryClass(other, { durable }), { code: 'ERR_NC_STORAGE' })
  const plain = new SharedMemoryClass(other)
  t.after(() => plain.close())
  const elsewhere = { durable: { directory: temporary(t) } }
  assert.throws(() => new SharedMemoryClass(other, elsewhere), { code: 'ERR_NC_INVALID_ARG' })
  for (const wrong of [true, {}, { directory: '' }, { directory: 5 }, { path: 'x' }]) {
    const options = /** @type {any} */ ({ durable: wrong })
    assert.throws(() => new SharedMemoryClass(undefined, options), { code: 'ERR_NC_INVALID_ARG' })
  }
})
