'use strict'

// Where a memory is, how it is handed on, and what becomes of it when a process ends.

const { execFile } = require('node:child_process')
const path = require('node:path')
const { promisify } = require('node:util')
const { test } = require('node:test')
const assert = require('node:assert/strict')
const { SharedMemoryClass, describeMemory, openMemory, openScope } = require('../../lib/memory')
const { Client, frames } = require('../../lib/link')
const { parse } = require('../../lib/link/url.js')
const { child, crew, freeUrl, thread } = require('./support/crew.js')
const { elsewhere, here, TOKEN } = require('./support/places.js')

const LIBRARY = path.join(__dirname, '../../lib/memory')

/** Runs a script in a process that ends by itself, or fails. */
async function run(script) {
  const text = `const { SharedMemoryClass } = require(${JSON.stringify(LIBRARY)})\n;(async () => {${script}})()`
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', text], { timeout: 60_000 })
  return stdout.trim()
}

test('memories of one process with the same URL, or none, are the same', async (t) => {
  const url = await freeUrl('same')
  const [one, two, none] = [
    new SharedMemoryClass(url),
    new SharedMemoryClass(new URL(url)),
    await here(t),
  ]
  t.after(() => Promise.all([one.close(), two.close()]))
  await Promise.all([one.ready, two.ready, none.ready])
  one.setSync('same', 1)
  assert.equal(two.getSync('same'), 1)
  assert.equal(none.getSync('same'), undefined)
  const other = new SharedMemoryClass(url.replace('same', 'other'))
  t.after(() => other.close())
  assert.equal(other.getSync('same'), undefined)
  const [member] = await crew(t, 1, () => thread({ url }))
  assert.equal(await member.run('get', { key: 'same' }), 1)
})

test('nobody there is told', async () => {
  const memory = new SharedMemoryClass(await freeUrl(), { host: 'never', connectTimeout: 100 })
  await assert.rejects(memory.ready, { code: 'ERR_NC_CONNECT' })
  await assert.rejects(memory.get('a'), { code: 'ERR_NC_CONNECT' })
  await assert.rejects(memory.watch('a').next(), { code: 'ERR_NC_CONNECT' })
  await memory.close()
})

test('a process with open memories ends by itself', async () => {
  const url = await freeUrl()
  assert.equal(
    await run(`
      const memory = new SharedMemoryClass('${url}')
      await memory.set('a', 1)
      const watch = memory.watch('a')
      console.log(await memory.get('a'))`),
    '1',
  )
  assert.equal(
    await run(`
      const memory = new SharedMemoryClass()
      await memory.set('a', 1, { ttl: 3600000 })
      await memory.lock('a')
      console.log(await memory.get('a'))`),
    '1',
  )
})

test('what is under way keeps the process', async (t) => {
  assert.equal(
    await run(`
      const memory = new SharedMemoryClass()
      await memory.lock('a', { leaseTime: 100 })
      await memory.lock('a')
      console.log('locked')`),
    'locked',
  )
  assert.equal(
    await run(`
      const memory = new SharedMemoryClass()
      await memory.set('a', 1, { ttl: 100 })
      for await (const { type } of memory.watch('a')) { console.log(type); break }`),
    'expire',
  )
  const { url } = await elsewhere(t)
  assert.equal(
    await run(`
      const memory = new SharedMemoryClass('${url}', { token: '${TOKEN}' })
      await memory.set('a', { b: 1 })
      console.log(JSON.stringify(await memory.get('a')))`),
    '{"b":1}',
  )
})

test('when the process that has a memory ends, another one has it', async (t) => {
  const url = await freeUrl('moves')
  const owner = await child({ url })
  const memory = new SharedMemoryClass(url)
  t.after(() => memory.close())
  await memory.set('a', 1)
  const [third] = await crew(t, 1, () => child({ url }))
  const watch = memory.watch({ prefix: '' })
  await memory.set('b', 2)
  assert.equal((await watch.next()).value.key, 'b')
  const reading = watch.next()
  await owner.end()
  // Either of the two has it now, and it is empty.
  const { value: reset } = await reading
  assert.equal(reset.type, 'reset')
  await memory.set('c', 3)
  const { value: change } = await watch.next()
  assert.deepEqual([change.type, change.key, change.value], ['set', 'c', 3])
  assert.equal(await third.run('get', { key: 'c' }), 3)
  assert.equal(await memory.get('a'), undefined)
  await watch.return()
})

test('what was sent to a process that ends rejects', async () => {
  const url = await freeUrl()
  const owner = await child({ url })
  const memory = new SharedMemoryClass(url, { host: 'never', connectTimeout: 200 })
  await memory.lock('a')
  const waiting = memory.lock('a')
  await memory.get('x')
  void owner.end()
  await assert.rejects(waiting, { code: 'ERR_NC_CONNECT' })
  await assert.rejects(memory.get('a'), { code: 'ERR_NC_CONNECT' })
  await memory.close()
})

test('a memory is described as plain JSON, and opened by that', async (t) => {
  const local = await here(t, { nearCache: false })
  const described = JSON.parse(JSON.stringify(describeMemory(local)))
  assert.deepEqual(described, { name: '', here: true, options: { nearCache: false } })
  const again = openMemory(described)
  t.after(() => again.close())
  await local.set('described', 1)
  assert.equal(again.getSync('described'), 1)

  const remote = await elsewhere(t)
  const { name, url, here: inHere, options } = JSON.parse(JSON.stringify(describeMemory(remote)))
  assert.deepEqual([url, inHere, options.token], [remote.url, false, TOKEN])
  assert.match(name, /^127\.0\.0\.1:\d+\/test$/)
  const other = openMemory({ name, url, here: inHere, options })
  t.after(() => other.close())
  await remote.set('described', 2)
  assert.equal(await other.get('described'), 2)
})

/** What a machine does with the frames of a worker for its memories. */
function unwrapping(client, name) {
  return {
    begin(kind, body) {
      assert.equal(kind, frames.KINDS.WITH_MEMORY)
      const reader = new frames.Reader(body)
      assert.equal(reader.str(), name)
      const inner = frames.split(reader.bytes())
      return client.begin(inner.kind, inner.body)
    },
  }
}

test('the scope of a job has its memory over the connection of a worker', async (t) => {
  const url = await freeUrl('jobs')
  const memory = new SharedMemoryClass(url, { token: TOKEN })
  t.after(() => memory.close())
  const client = new Client(parse(url), { role: 'data', token: TOKEN })
  t.after(() => client.close())
  const connection = unwrapping(client, describeMemory(memory).name)
  const { scope, close } = openScope(describeMemory(memory), connection)
  assert.match(await scope.set('a', { list: [1] }), /^[0-9a-f]{16}$/)
  await scope.set({ b: 1, c: 'x' }, { ttl: 60_000 })
  assert.deepEqual(await scope.getMany(['a', 'b', 'nothing']), { a: { list: [1] }, b: 1 })
  assert.deepEqual(
    [await scope.get('c'), await scope.has('c'), await scope.increment('b')],
    ['x', true, 2],
  )
  assert.equal(await scope.compareAndSet('a', undefined, 1), false)
  assert.equal(await scope.delete('a'), true)
  assert.equal(memory.getSync('b'), 2)
  assert.equal(memory.getSync('a'), undefined)
  await assert.rejects(scope.get(''), { code: 'ERR_NC_INVALID_KEY' })
  close()
  await assert.rejects(scope.get('b'), { code: 'ERR_NC_CLOSED' })
  assert.equal(memory.getSync('b'), 2)
})
