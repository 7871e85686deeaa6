'use strict'

// Memories that are stored in a directory.

const assert = require('node:assert/strict')
const { execFile } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const { promisify } = require('node:util')
const { Data } = require('../..')
const { NetworkClusterError } = require('../../lib/core/network-cluster-error.js')
const { SharedMemoryClass } = require('../../lib/memory')
const { child, crew, freeUrl, thread } = require('./support/crew.js')
const { bytesOf, temporary } = require('./support/stored.js')

/** The memory in a directory, as nobody else opens it. */
async function stored(t, directory, options) {
  const memory = new SharedMemoryClass(await freeUrl('stored'), {
    durable: { directory },
    ...options,
  })
  t.after(() => memory.close())
  return memory
}

const code = (code) => ({ code, constructor: NetworkClusterError })

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
  const listen = await freeUrl('data')
  let other
  for (let round = 0; round < 5; round++) {
    const data = new Data({ listen, persist })
    await data.start()
    other ??= (await crew(t, 1, () => child({ url: listen, options: { host: 'never' } })))[0]
    assert.equal(await data.memory.get('runs'), round === 0 ? undefined : round)
    // It comes back while the next one starts.
    await other.run('countBy', { key: 'runs', times: 1, way: 'increment' })
    await data.close()
  }
  const [first, second] = [new Data({ persist }), new Data({ persist })]
  await first.start()
  await assert.rejects(second.start(), { code: 'ERR_NC_STORAGE' })
  await first.close()
})

test('values of all types, their versions and ends come back; locks do not', async (t) => {
  const directory = temporary(t)
  const values = {
    number: -0,
    text: 'é漢\ud800'.slice(0, 2),
    yes: true,
    no: false,
    nothing: null,
    none: undefined,
    plain: { list: [1, { two: 2 }] },
    wide: ['漢'],
    map: new Map([[1n, new Set(['x'])]]),
    bytes: Uint8Array.of(1, 2, 3),
    numbers: new Float64Array([0.5, NaN]),
    large: 'x'.repeat(3 << 20),
  }
  const first = await stored(t, directory)
  await first.set(values)
  await first.set('long', 1, { ttl: 3_600_000 })
  await first.set('short', 1, { ttl: 1 })
  await first.set('replaced', 1, { ttl: 3_600_000 })
  await first.set('replaced', 2)
  const { token } = await first.lock('lock')
  const before = await entriesOf(first)
  await first.close()

  const second = await stored(t, directory)
  assert.deepEqual(await entriesOf(second), before)
  assert.deepEqual({ ...(await second.getMany(Object.keys(values))) }, values)
  assert.equal(await second.has('none'), true)
  assert.equal(await second.has('short'), false)
  assert.ok((await second.getEntry('long')).expiresAt > Date.now() + 3_000_000)
  assert.equal((await second.getEntry('replaced')).expiresAt, undefined)
  const lock = await second.lock('lock')
  assert.ok(lock.token > token)
  assert.ok((await second.set('number', 1)) > before.find(({ key }) => key === 'number').version)
})

async function entriesOf(memory) {
  const entries = []
  for await (const entry of memory) if (entry.key !== 'short') entries.push(entry)
  return entries.toSorted((a, b) => (a.key < b.key ? -1 : 1))
}

test('a watch goes on from a version of before, without a reset', async (t) => {
  const directory = temporary(t)
  const first = await stored(t, directory)
  await first.set({ kept: 1, deleted: 1, replaced: 1, ended: 1 })
  const since = await first.set('seen', 1)
  await first.set('replaced', 2)
  await first.delete('deleted')
  // Before the value is set, as its end may come before that is on disk.
  const watched = first.watch('ended')
  await first.set('ended', 2, { ttl: 1 })
  while ((await watched.next()).value.type !== 'expire');
  await first.close()

  const second = await stored(t, directory)
  const watch = second.watch({ prefix: '' }, { since })
  await second.set('new', 1)
  const changes = []
  while (changes.at(-1)?.key !== 'new') changes.push((await watch.next()).value)
  assert.deepEqual(
    changes.map(({ type, key, value }) => [type, key, value]),
    [
      ['set', 'replaced', 2],
      ['delete', 'deleted', undefined],
      ['expire', 'ended', undefined],
      ['set', 'new', 1],
    ],
  )
})

test('one who watches from long before is told to begin anew', async (t) => {
  const directory = temporary(t)
  const first = await stored(t, directory)
  const since = await first.set('{t}a', 1)
  const keys = Array.from({ length: 5000 }, (_, i) => `{t}${i}`)
  await first.set(Object.fromEntries(keys.map((key) => [key, 1])))
  await Promise.all(keys.map((key) => first.delete(key)))
  await first.close()
  const second = await stored(t, directory)
  const watch = second.watch({ prefix: '' }, { since })
  const changes = [(await watch.next()).value, (await watch.next()).value]
  assert.deepEqual(
    changes.map(({ type, key }) => [type, key]),
    [
      ['reset', ''],
      ['set', '{t}a'],
    ],
  )
})

test('every method writes what comes back', async (t) => {
  const directory = temporary(t)
  const first = await stored(t, directory)
  await first.set({ deleted: 1, counted: 1 })
  await Promise.all([
    first.increment('counted', 2),
    first.delete('deleted'),
    first.update('updated', () => [1]),
    first.compareAndSet('compared', undefined, 'x'),
    first.transaction(async (tx) => {
      await tx.set('one', 1)
      await tx.set('two', 2)
    }),
    first.runOnKey('ran', (entry, to) => void (entry.value = to), 5),
  ])
  // What is set at once is stored with what comes after it.
  first.setSync('sync', 1)
  assert.equal(first.getSync('sync'), 1)
  await first.set('last', 1)
  await first.close()
  const second = await stored(t, directory)
  assert.deepEqual(Object.fromEntries((await entriesOf(second)).map((it) => [it.key, it.value])), {
    counted: 3,
    updated: [1],
    compared: 'x',
    one: 1,
    two: 2,
    ran: 5,
    sync: 1,
    last: 1,
  })
})

test('threads and processes that use it need no option', async (t) => {
  const directory = temporary(t)
  const url = await freeUrl('shared')
  const memory = new SharedMemoryClass(url, { durable: { directory }, token: 'x' })
  t.after(() => memory.close())
  const options = { token: 'x' }
  const members = [
    ...(await crew(t, 1, () => thread({ url, options }))),
    ...(await crew(t, 2, () => child({ url, options }))),
  ]
  await Promise.all(
    members.flatMap((member) =>
      ['increment', 'update', 'transaction', 'runOnKey'].map((way) =>
        member.run('countBy', { key: 'count', times: 25, way }),
      ),
    ),
  )
  assert.equal(await memory.get('count'), 300)
  await Promise.all(members.map((member) => member.end()))
  await memory.close()
  const again = await stored(t, directory)
  assert.equal(await again.get('count'), 300)
})

test('it can be opened again at once, whoever was connected', async (t) => {
  const directory = temporary(t)
  const url = await freeUrl('again')
  let other
  for (let round = 0; round < 5; round++) {
    const memory = new SharedMemoryClass(url, { durable: { directory } })
    other ??= (await crew(t, 1, () => child({ url, options: { host: 'never' } })))[0]
    assert.equal(await memory.get('round'), round === 0 ? undefined : round)
    // Who was connected comes back as soon as it can: also before the memory is there.
    await other.run('set', { key: 'round', value: round + 1 })
    await memory.close()
  }
})

test('what is overwritten does not stay in the log', async (t) => {
  const directory = temporary(t)
  const memory = await stored(t, directory)
  const value = new Uint8Array(1 << 20)
  for (let round = 0; round < 300; round++) await memory.set('same', value.fill(round))
  const bytes = bytesOf(directory)
  assert.ok(bytes < 200 << 20, `${bytes} bytes`)
  await memory.close()
  const again = await stored(t, directory)
  assert.equal((await again.get('same'))[5], 299 & 255)
})

test('another process is told that the directory is in use', async (t) => {
  const directory = temporary(t)
  const memory = await stored(t, directory)
  await memory.set('a', 1)
  const script = `
    const { SharedMemoryClass } = require(${JSON.stringify(path.join(__dirname, '../../lib/memory'))})
    new SharedMemoryClass(undefined, { durable: { directory: ${JSON.stringify(directory)} } })
      .get('a')
      .catch(({ code, message }) => console.log(JSON.stringify({ code, message })))`
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', script])
  const failure = JSON.parse(stdout)
  assert.equal(failure.code, 'ERR_NC_STORAGE')
  assert.match(failure.message, /in use/)
  await memory.set('a', 2)
})

test('a directory that cannot be opened is told, and the address stays free', async (t) => {
  const directory = temporary(t)
  const file = path.join(directory, 'file')
  fs.writeFileSync(file, 'x')
  const url = await freeUrl()
  const durable = { directory: path.join(file, 'below') }
  const memory = new SharedMemoryClass(url, { durable })
  t.after(() => memory.close())
  await assert.rejects(memory.ready, code('ERR_NC_STORAGE'))
  const other = new SharedMemoryClass(url)
  t.after(() => other.close())
  assert.equal(await other.get('a'), undefined)
})

test('who takes an address over and cannot open the directory goes on trying', async (t) => {
  const directory = temporary(t)
  const url = await freeUrl('taken')
  const blocker = await stored(t, directory)
  await blocker.set('a', 'from the directory')
  const [owner] = await crew(t, 1, () => child({ url }))
  const memory = new SharedMemoryClass(url, { durable: { directory }, connectTimeout: 300 })
  t.after(() => memory.close())
  await memory.set('a', 'from the owner')
  await owner.end()
  let error
  // What was sent before the end of the owner was noticed fails for that alone.
  do error = await memory.get('a').catch((reason) => reason)
  while (error?.code === 'ERR_NC_CONNECT' && error.cause === undefined)
  assert.equal(error.code, 'ERR_NC_CONNECT')
  assert.equal(error.cause.code, 'ERR_NC_STORAGE')
  await blocker.close()
  let value
  while (value === undefined) value = await memory.get('a').catch(() => {})
  assert.equal(value, 'from the directory')
  assert.equal(memory.getSync('a'), value)
})

test('the command line reads it', async (t) => {
  const directory = temporary(t)
  const memory = await stored(t, directory)
  await memory.set('a', 1)
  await memory.set({ b: 2, c: [3] })
  await memory.delete('a')
  await memory.close()
  const bin = path.join(__dirname, '../../bin/es-networkcluster.js')
  const log = async (command) =>
    (await promisify(execFile)(process.execPath, [bin, 'log', command, directory])).stdout
  assert.match(await log('verify'), /4 records[^]*No damage\./)
  const lines = (await log('inspect')).split('\n')
  const records = lines.flatMap(
    (it) => /(memory-\w+)(?: key "(.*)")? \d+ bytes/.exec(it)?.slice(1) ?? [],
  )
  assert.deepEqual(records, [
    'memory-set',
    'a',
    'memory-set',
    'b',
    'memory-set',
    'c',
    'memory-delete',
    'a',
  ])
})

test('a directory has one memory, and a memory is stored from the start', async (t) => {
  const durable = { directory: temporary(t) }
  const url = await freeUrl('one')
  const memory = new SharedMemoryClass(url, { durable })
  t.after(() => memory.close())
  const other = await freeUrl('two')
  const second = new SharedMemoryClass(other, { durable })
  await assert.rejects(second.ready, { code: 'ERR_NC_STORAGE' })
  await second.close()
  const plain = new SharedMemoryClass(other)
  t.after(() => plain.close())
  const elsewhere = { durable: { directory: temporary(t) } }
  assert.throws(() => new SharedMemoryClass(other, elsewhere), { code: 'ERR_NC_INVALID_ARG' })
  // Nor is it stored in a second one.
  assert.throws(() => new SharedMemoryClass(url, elsewhere), { code: 'ERR_NC_INVALID_ARG' })
  const same = { directory: path.join(temporary(t), 'link') }
  fs.symlinkSync(durable.directory, same.directory)
  const again = new SharedMemoryClass(url, { durable: same })
  t.after(() => again.close())
  await memory.set('a', 1)
  assert.equal(again.getSync('a'), 1)
})
