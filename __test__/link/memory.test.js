'use strict'

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { once } = require('node:events')
const native = require('../../lib/core/native')
const { Client, hosts, frames, url } = require('../../lib/link')
const { getBody, put, readGet } = require('./support/memory')

const { KINDS, TAGS, Reader, Writer } = frames
const limit = { timeout: 60_000 }

/** A machine, clients of it, and its memory as its process sees it. */
function setting(t, options) {
  const machine = hosts.listen('http://127.0.0.1:0', options)
  const address = url.parse(`http://127.0.0.1:${machine.port}/m`)
  const memory = new native.NativeMemory(`${address.key}/m`)
  memory.scratch(new Float64Array(8))
  const clients = []
  t.after(() => {
    for (const client of clients) {
      client.close()
      client.unref()
    }
    machine.release()
    memory.close()
  })
  const client = (more = {}) => {
    const made = new Client(address, { role: 'data', token: options?.token, ...more })
    // Tests wait for what is told without being asked.
    made.ref()
    clients.push(made)
    return made
  }
  return { machine, memory, client }
}

const lockBody = (key, lease = 30_000) => new Writer().str(key).f64(lease).u8(0).finish()

test('conditions, conflicts, deletions and keys', limit, async (t) => {
  const { client } = setting(t)
  const a = client()
  const first = new Reader(await a.request(KINDS.COMMIT, put('k', 1)))
  assert.equal(first.u8(), 1)
  const version = first.version()
  assert.equal(first.u8(), 0)

  const expecting = (expected) =>
    new Writer().u16(1).str('k').version(expected).u16(1).str('k').u8(0).finish()
  const conflict = new Reader(await a.request(KINDS.COMMIT, expecting('0'.repeat(16))))
  assert.equal(conflict.u8(), 0)
  assert.equal(conflict.str(), 'k')
  assert.equal(conflict.version(), version)

  const keys = async () => {
    const found = []
    for (let partition = 0; partition < 64; partition++) {
      const body = new Writer().u8(partition).u8(0).str('').str('').finish()
      const reader = new Reader(await a.request(KINDS.SCAN, body))
      assert.equal(reader.u8(), 0)
      for (let count = reader.u32(); count > 0; count--) found.push(reader.str())
    }
    return found
  }
  assert.deepEqual(await keys(), ['k'])
  const done = new Reader(await a.request(KINDS.COMMIT, expecting(version)))
  assert.equal(done.u8(), 1)
  done.version()
  assert.equal(done.u8(), 1)
  assert.deepEqual(await keys(), [])
  assert.equal(readGet(await a.request(KINDS.GET, getBody('k'))), undefined)
})

test('values of every kind arrive as they were sent', limit, async (t) => {
  const { client } = setting(t)
  const a = client()
  for (const [tag, data] of [
    [TAGS.NUMBER, -0.5],
    [TAGS.LATIN1, 'é\x80'],
    [TAGS.UTF16, '\ud800€'],
    [TAGS.TRUE, undefined],
    [TAGS.JSON, '{"a":1}'],
    [TAGS.BYTES, new Uint8Array(1024 * 1024).fill(7)],
  ]) {
    const body = new Writer().u16(0).u16(1).str('v').u8(1).f64(0).value(tag, data).finish()
    await a.request(KINDS.COMMIT, body)
    const reader = new Reader(await a.request(KINDS.GET, getBody('v')))
    reader.version()
    reader.f64()
    assert.deepEqual(reader.value(), tag === TAGS.BYTES ? Buffer.from(data) : data)
    assert.equal(reader.tag, tag)
  }
  await assert.rejects(a.request(KINDS.INCREMENT, new Writer().str('v').f64(1).finish()), {
    code: 'ERR_NC_INVALID_VALUE',
  })
})

test('who waits for a lock gets it when its holder is gone', limit, async (t) => {
  const { client } = setting(t)
  const [a, b] = [client(), client()]
  const first = new Reader(await a.request(KINDS.LOCK, lockBody('k'))).version()
  const second = b.request(KINDS.LOCK, lockBody('k'))
  await b.request(KINDS.STATS)
  a.close()
  assert.ok(new Reader(await second).version() > first)
})

test('a lock that is given back goes on to the next', limit, async (t) => {
  const { client } = setting(t)
  const [a, b] = [client(), client()]
  const token = new Reader(await a.request(KINDS.LOCK, lockBody('k'))).version()
  const second = b.request(KINDS.LOCK, lockBody('k'))
  const renew = new Writer().str('k').version(token).f64(1000).finish()
  assert.deepEqual([...(await a.request(KINDS.RENEW, renew))], [1])
  const unlock = new Writer().str('k').version(token).u8(0).finish()
  assert.deepEqual([...(await a.request(KINDS.UNLOCK, unlock))], [1])
  await second
  assert.deepEqual([...(await a.request(KINDS.UNLOCK, unlock))], [0])
  assert.deepEqual([...(await a.request(KINDS.RENEW, renew))], [0])
})

test('a lock that is not wanted any more is held by nobody', limit, async (t) => {
  const { client } = setting(t)
  const [a, b] = [client(), client()]
  const token = new Reader(await a.request(KINDS.LOCK, lockBody('k'))).version()
  const cancel = (id) => a.send(KINDS.CANCEL, id, new Writer().u32(id).finish())
  // One that is waited for, and one whose grant is on its way already.
  for (const key of ['k', 'free']) {
    const { id, promise } = a.begin(KINDS.LOCK, lockBody(key))
    assert.equal(a.abandon(id, new Error('enough')), true)
    await assert.rejects(promise, { message: 'enough' })
    cancel(id)
  }
  await b.request(KINDS.LOCK, lockBody('free'))
  await a.request(KINDS.UNLOCK, new Writer().str('k').version(token).u8(0).finish())
  await b.request(KINDS.LOCK, lockBody('k'))
})

test('changes are told in order, and again from a version on', limit, async (t) => {
  const { client, memory } = setting(t)
  const a = client()
  const seen = []
  let wake = () => {}
  a.onPush(KINDS.CHANGES, (id, body) => {
    const reader = new Reader(body)
    for (let count = reader.u32(); count > 0; count--) {
      const [type, key, version] = [reader.u8(), reader.str(), reader.version()]
      seen.push({ id, type, key, version, value: type === 1 ? reader.value() : undefined })
    }
    wake()
  })
  const until = async (count) => {
    while (seen.length < count) await new Promise((resolve) => (wake = resolve))
  }
  const none = '0'.repeat(16)
  const watching = a.begin(KINDS.WATCH, new Writer().u8(1).u8(0).version(none).str('x/').finish())
  await watching.promise
  for (let i = 0; i < 100; i++) memory.setNumber(`x/${i % 3}`, i)
  memory.setNumber('y', 1)
  memory.delete('x/0')
  await until(101)
  assert.ok(seen.every(({ id }) => id === watching.id))
  assert.deepEqual(
    seen.slice(0, 3).map(({ value }) => value),
    [0, 1, 2],
  )
  assert.deepEqual([seen[100].type, seen[100].key], [2, 'x/0'])
  a.send(KINDS.UNWATCH, 0, new Writer().u32(watching.id).finish())
  await a.request(KINDS.STATS)
  memory.setNumber('x/1', 1)
  await a.request(KINDS.STATS)
  assert.equal(seen.length, 101)

  const { version } = seen[98]
  const from = new Writer().u8(1).u8(1).version(version).str('x/').finish()
  await a.request(KINDS.WATCH, from)
  // What has been replaced since is not told.
  await until(103)
  assert.deepEqual(
    seen.slice(101).map(({ type, key, value }) => [type, key, value]),
    [
      [2, 'x/0', undefined],
      [1, 'x/1', 1],
    ],
  )
})

test('functions on keys are run by JavaScript, with a token', limit, async (t) => {
  const { client } = setting(t, { token: 'secret' })
  const a = client()
  const body = new Writer().str('k').str('{"hash":"h"}').value(TAGS.JSON, '[1]').finish()
  const result = new Writer().value(TAGS.NUMBER, 5).finish()
  const asked = []
  hosts.onRun((run) => {
    asked.push(run)
    if (asked.length === 1) return Promise.resolve(result)
    return Promise.reject(Object.assign(new Error('no'), { code: 'ERR_NC_INVALID_KEY' }))
  })
  assert.deepEqual(await a.request(KINDS.RUN_ON_KEY, body), Buffer.from(result))
  assert.match(asked[0].memory, /^127\.0\.0\.1:\d+\/m$/)
  assert.deepEqual([asked[0].key, asked[0].json], ['k', '{"hash":"h"}'])
  assert.equal(new Reader(asked[0].args).value(), '[1]')
  await assert.rejects(a.request(KINDS.RUN_ON_KEY, body), {
    code: 'ERR_NC_INVALID_KEY',
    message: 'no',
  })
})

test('many operations at once are answered in order', limit, async (t) => {
  const { client } = setting(t)
  const a = client()
  await a.request(KINDS.STATS)
  const sums = await Promise.all(
    Array.from({ length: 20_000 }, () =>
      a.request(KINDS.INCREMENT, new Writer().str('n').f64(1).finish()),
    ),
  )
  assert.ok(sums.every((body, index) => new Reader(body).f64() === index + 1))
})

test('a connection that is closed tells who listens', limit, async (t) => {
  const { client, machine } = setting(t)
  const a = client()
  await a.request(KINDS.STATS)
  const gone = once(a, 'down')
  machine.release()
  const [error] = await gone
  assert.equal(error.code, 'ERR_NC_CONNECT')
  machine.retain()
})
