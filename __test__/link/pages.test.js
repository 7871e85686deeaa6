'use strict'

// What a memory of another process holds comes a page at a time.

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { once } = require('node:events')
const { SharedMemoryClass } = require('../..')
const { Client, hosts, frames, url } = require('../../lib/link')
const { iterate } = require('../../lib/memory/iteration')
const RemoteMemory = require('../../lib/memory/remote')
const Source = require('../../lib/memory/source')

const { KINDS } = frames
const limit = { timeout: 60_000 }
/** A value of which ten fill a page. */
const large = Buffer.alloc(100 * 1024)

/**
 * A memory of this process, and the same over a connection. `log` has a line for each page that is asked
 * for, and one when it has come, with how many bytes it has.
 */
function setting(t) {
  const machine = hosts.listen('http://127.0.0.1:0')
  const address = url.parse(`http://127.0.0.1:${machine.port}/m`)
  const memory = new SharedMemoryClass(`http://${address.key}/m`)
  const client = new Client(address, { role: 'data' })
  client.ref()
  const log = []
  const begin = client.begin.bind(client)
  client.begin = (kind, body) => {
    const begun = begin(kind, body)
    if (kind !== KINDS.SCAN) return begun
    log.push('asked')
    void begun.promise.then(
      (answer) => log.push(answer.length),
      () => {},
    )
    return begun
  }
  const source = new Source(new RemoteMemory(client, { json: false }), 'm', null)
  t.after(async () => {
    client.close()
    client.unref()
    await memory.close()
    machine.release()
  })
  return { memory, client, source, log }
}

const entries = (source, prefix = '') =>
  iterate(source, (backend, ...from) => backend.scan(...from), prefix)
const keys = (source, prefix = '') =>
  iterate(source, (backend, ...from) => backend.keys(...from), prefix)

/** Writes 64 times as many keys, makes about those of the first partition large, and gives them. */
async function fill(memory, count) {
  for (let i = 0; i < 64 * count; i++) await memory.set(`k${i}`, i)
  // Partitions come one after the other, and have about as many keys each.
  const first = (await collect(memory.keys())).slice(0, count)
  for (const key of first) await memory.set(key, large)
  return first
}

async function collect(iterable) {
  const all = []
  for await (const each of iterable) all.push(each)
  return all
}

test('a partition of several pages is read in full, and each key once', limit, async (t) => {
  const { memory, source, log } = setting(t)
  const first = await fill(memory, 45)
  const all = await collect(entries(source))
  const pages = log.filter((line) => line !== 'asked')
  assert.ok(pages.length > 64 + 2, String(pages.length))
  for (const bytes of pages) assert.ok(bytes <= 1024 * 1024 + 100 * 1024, String(bytes))
  assert.equal(all.length, 64 * 45)
  assert.equal(new Set(all.map(({ key }) => key)).size, all.length)
  for (const { key, value } of all) {
    assert.ok(first.includes(key) ? large.equals(value) : value === Number(key.slice(1)), key)
  }
  assert.deepEqual(new Set(await collect(keys(source))), new Set(all.map(({ key }) => key)))
  const some = await collect(entries(source, first[7]))
  assert.ok(some.length > 0 && some.every(({ key }) => key.startsWith(first[7])))
})

test('what stays is found once, whatever comes and goes meanwhile', limit, async (t) => {
  const { memory, source } = setting(t)
  const first = await fill(memory, 45)
  const stay = new Set(await collect(memory.keys()))
  const goes = first.filter((_, at) => at % 3 === 0)
  for (const key of goes) stay.delete(key)
  const found = []
  for await (const { key } of entries(source)) {
    found.push(key)
    if (found.length % 5 > 0 || found.length > 300) continue
    const gone = goes.pop()
    if (gone !== undefined) await memory.delete(gone)
    await memory.set(`new ${found.length}`, large)
    await memory.set(first[1], found.length % 2 === 0 ? large : 'short')
  }
  const once = new Set(found)
  assert.equal(once.size, found.length)
  for (const key of stay) assert.ok(once.has(key), key)
})

test('one page is asked for while the one before is read, and no more', limit, async (t) => {
  const { memory, client, source, log } = setting(t)
  await fill(memory, 45)
  const pages = entries(source)
  await pages.next()
  await pages.next()
  // An answer to what is asked now comes after those to all that was asked before.
  await client.request(KINDS.STATS)
  assert.equal(log.filter((line) => line === 'asked').length, 2)
  assert.equal(log.length, 4)
  await client.request(KINDS.STATS)
  assert.equal(log.length, 4)
  await pages.return(undefined)
  await client.request(KINDS.STATS)
  assert.equal(log.length, 4)
})

test('who has read half of it learns that the connection is gone', limit, async (t) => {
  const { memory, client, source } = setting(t)
  await fill(memory, 45)
  const pages = entries(source)
  await pages.next()
  const end = once(client, 'closed')
  client.close()
  await end
  await assert.rejects(collect(pages), { code: 'ERR_NC_CLOSED' })
})

test('a page of nothing that says that there is more is none', limit, async () => {
  const connection = {
    begin: () => ({ id: 1, promise: Promise.resolve(Uint8Array.of(1, 0, 0, 0, 0)) }),
    abandon: () => false,
    send: () => true,
    onPush() {},
  }
  const source = new Source(new RemoteMemory(connection, { json: false }), 'm', null)
  await assert.rejects(collect(keys(source)), RangeError)
})
