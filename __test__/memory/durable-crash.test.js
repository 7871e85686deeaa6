'use strict'

// What was acknowledged by a memory in a directory survives: a process that is killed, a full disk.

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const { SharedMemoryClass } = require('../../lib/memory')
const { child, crew, freeUrl } = require('./support/crew.js')
const { TOKEN } = require('./support/places.js')
const { noSmallDisk, smallDisk, temporary, writeUntilKilled } = require('./support/stored.js')

const ROUNDS = Number(process.env.ES_NETWORKCLUSTER_CHAOS_ROUNDS ?? 10)
const STORAGE = { code: 'ERR_NC_STORAGE' }

/** What must be there: see writer.js. */
class Expected {
  rounds = 0
  count = 0
  moved = 0
  sets = new Map()
  deletes = new Map()

  add(acks) {
    this.rounds++
    for (const [what, key, number] of acks) {
      if (what === 'count') this.count++
      else if (what === 'moved') this.moved++
      else (what === 'set' ? this.sets : this.deletes).set(key, Number(number))
    }
  }

  /** What was not acknowledged may have been done: one of each that was under way. */
  async check(memory) {
    const count = await memory.get('count')
    assert.ok(count >= this.count && count <= this.count + 4 * this.rounds, `${count} counted`)
    const { from, to } = await memory.getMany(['from', 'to'])
    assert.equal(from + to, 0)
    assert.ok(to >= this.moved && to <= this.moved + this.rounds, `${to} moved`)
    for (const [key, number] of this.sets) {
      const value = await memory.get(key)
      assert.ok(value === number || value === number + 1, `${key}: ${value} after ${number}`)
      this.sets.set(key, value)
    }
    for (const [key, number] of this.deletes) {
      const value = await memory.get(key.replace('-gone', ' gone'))
      assert.ok(value === undefined || value >= number, `${key}: ${value} after ${number}`)
    }
    // What was done beyond that is known now.
    Object.assign(this, { count, moved: to, rounds: 0 })
  }
}

test('nothing that was acknowledged is lost when the process is killed', async (t) => {
  const directory = temporary(t)
  const expected = new Expected()
  let since
  for (let round = 1; round <= ROUNDS; round++) {
    expected.add(await writeUntilKilled(directory, 50 + 37 * round))
    const memory = new SharedMemoryClass(await freeUrl(), { durable: { directory } })
    try {
      await expected.check(memory)
      if (since !== undefined) {
        const { value } = await memory.watch({ prefix: '' }, { since }).next()
        assert.notEqual(value.type, 'reset')
      }
      since = await memory.set('seen', round)
    } finally {
      await memory.close()
    }
  }
  t.diagnostic(`${expected.count} counted, ${expected.moved} moved`)
})

/** Sets keys until one does not fit; resolves to those that did. */
async function fill(memory) {
  const kept = []
  for (let i = 0; i < 1000; i++) {
    const written = memory.set(`key-${i}`, new Uint8Array(60_000).fill(i))
    const failure = await written.then(
      () => null,
      (error) => error,
    )
    if (failure === null) kept.push(i)
    else {
      assert.equal(failure.code, 'ERR_NC_STORAGE')
      assert.match(failure.message, /^storage failed: /)
      return kept
    }
  }
  throw new Error('the disk does not get full')
}

/** A memory that this process has, or another one. */
const OWNERS = {
  'of this process': async (t, url, durable) => {
    const memory = new SharedMemoryClass(url, { durable, token: TOKEN })
    t.after(() => memory.close())
    return { memory, close: () => memory.close() }
  },
  'of another process': async (t, url, durable) => {
    const [owner] = await crew(t, 1, () => child({ url, options: { durable, token: TOKEN } }))
    const memory = new SharedMemoryClass(url, { host: 'never', token: TOKEN })
    t.after(() => memory.close())
    return { memory, close: async () => [await memory.close(), await owner.end()] }
  },
}

for (const [name, open] of Object.entries(OWNERS)) {
  test(`a full disk, and a memory ${name}`, { skip: noSmallDisk() }, async (t) => {
    const disk = smallDisk(t, '8m')
    if (disk === null) return
    const ballast = path.join(disk, 'ballast')
    fs.writeFileSync(ballast, Buffer.alloc(3 << 20))
    const durable = { directory: path.join(disk, 'memory') }
    const url = await freeUrl()
    const { memory, close } = await open(t, url, durable)
    const kept = await fill(memory)
    assert.ok(kept.length > 10, `${kept.length} fitted`)
    for (const write of [
      () => memory.set('more', 1),
      () => memory.set({ more: 1 }),
      () => memory.delete('key-0'),
      () => memory.increment('more'),
      () => memory.update('more', () => 1),
      () => memory.transaction((tx) => tx.set('more', 1)),
      () => memory.runOnKey('more', (entry) => void (entry.value = 1)),
    ])
      await assert.rejects(write(), STORAGE)
    if (name === 'of this process') assert.throws(() => memory.setSync('more', 1), STORAGE)
    assert.equal((await memory.get('key-0')).length, 60_000)
    await close()

    fs.rmSync(ballast)
    const again = await open(t, url, durable)
    for (const i of kept) assert.equal((await again.memory.get(`key-${i}`))[5], i & 255)
    // What failed is not known to be stored or not.
    assert.ok((await again.memory.stats()).entries <= kept.length + 1)
    await again.memory.set('more', 1)
    await again.close()
    const last = await open(t, url, durable)
    assert.equal(await last.memory.get('more'), 1)
  })
}
