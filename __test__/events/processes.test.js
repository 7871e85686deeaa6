'use strict'

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { EventEmitter, once } = require('node:events')
const { setting } = require('./support')

const limit = { timeout: 60_000 }
const numbers = (count) => Array.from({ length: count }, (_, i) => i)

test('processes hear each other, whoever came first', limit, async (t) => {
  const { station } = await setting(t, 'orders')
  const [a, b] = [await station(), await station()]
  await Promise.all([a.ask('ready'), b.ask('ready')])
  await Promise.all([a.ask('on', 'x'), b.ask('on', 'x')])
  const args = [1, 'ä€', new Map([['a', new Date(5)]]), undefined, [null], 10n]
  assert.equal(await a.ask('emitAsync', 'x', ...args), 2)
  assert.equal(await b.ask('emitAsync', 'x', ...args), 2)
  assert.equal(await b.ask('emitAsync', 'nobody'), 0)
  for (const each of [a, b]) assert.deepEqual(await each.ask('heard', 2), [args, args])
})

test('emitters with other names do not', limit, async (t) => {
  const { url, station, open } = await setting(t)
  const [a, b] = [await station(), await station()]
  await a.ask('open', `${url}one`)
  await b.ask('open', `${url}two`)
  await Promise.all([a.ask('on', 'x'), b.ask('on', 'x')])
  assert.equal(await b.ask('emitAsync', 'x'), 1)
  assert.equal(await open().emitAsync('x'), 0)
})

test('4 processes with 2 threads each: all hear all, in order of each', limit, async (t) => {
  const { url, station } = await setting(t)
  const count = 500
  const peers = await Promise.all(numbers(4).map(() => station()))
  await Promise.all(peers.map((peer) => peer.ask('thread', url)))
  const stations = peers.flatMap((peer) => [
    (...order) => peer.ask(...order),
    (...order) => peer.ask('inThread', ...order),
  ])
  await Promise.all(stations.map((ask) => ask('ready')))
  await Promise.all(stations.map((ask) => ask('on', 'each')))
  for (const ask of stations) assert.equal(await ask('emitAsync', 'each', 'counted', 0), 8)
  await Promise.all(stations.map((ask) => ask('heard', 8)))
  await Promise.all(stations.map((ask, mark) => ask('emit', 'each', count, mark)))
  for (const ask of stations) {
    const heard = await ask('heard', 8 * count)
    assert.equal(heard.length, 8 * count)
    for (const mark of stations.keys()) {
      const of = heard.filter(([from]) => from === mark).map(([, number]) => number)
      assert.deepEqual(of, numbers(count))
    }
  }
})

test('if who serves is killed, another does, and who listened goes on', limit, async (t) => {
  const { station } = await setting(t)
  const owner = await station()
  const others = await Promise.all(numbers(3).map(() => station()))
  await Promise.all(others.map((each) => each.ask('ready')))
  await Promise.all(others.map((each, i) => each.ask('on', `own${i}`)))
  await Promise.all(others.slice(1).map((each) => each.ask('onNumbers', 'stream')))
  await others[0].ask('stream', 'stream')
  await Promise.all(others.slice(1).map((each) => each.ask('heardUntil', 9)))

  owner.child.kill('SIGSTOP')
  const pending = others.map((each) => each.ask('emitOn', 'pending'))
  const lost = Promise.all(pending.map((each) => assert.rejects(each, { code: 'ERR_NC_CONNECT' })))
  await Promise.all(others.map((each) => each.ask('turn')))
  await owner.kill()
  await lost

  // What waits for the connection finds who emits it listening again.
  const own = others.map((each, i) => each.ask('emitAsync', `own${i}`, 'again'))
  assert.deepEqual(await Promise.all(own), [1, 1, 1])
  const last = await others[0].ask('quiet')
  while ((await others[0].ask('emitAsync', 'stream', last + 1)) < 2);
  for (const each of others.slice(1)) {
    const heard = (await each.ask('heardUntil', last + 1)).map(([n]) => n)
    const stream = heard.filter((n) => typeof n === 'number' && n <= last)
    assert.deepEqual(
      stream,
      stream.toSorted((a, b) => a - b),
    )
    assert.equal(new Set(stream).size, stream.length)
  }
})

test('what waits for a connection goes out in order, here or there', limit, async (t) => {
  const { station, open } = await setting(t)
  const owner = await station()
  const emitter = open()
  await emitter.ready
  owner.child.kill('SIGSTOP')
  const lost = assert.rejects(
    async () => {
      for (;;) await emitter.emitAsync('x', -1)
    },
    { code: 'ERR_NC_CONNECT' },
  )
  await owner.kill()
  await lost
  /** @type {number[]} */
  const heard = []
  const done = new Promise((resolve) => {
    emitter.on('x', (number) => {
      heard.push(number)
      if (number === 99) resolve(undefined)
    })
  })
  for (const number of numbers(100)) assert.equal(emitter.emit('x', number), true)
  await done
  assert.deepEqual(heard, numbers(100))
})

test('one that closes does not disturb the others', limit, async (t) => {
  const { station, open } = await setting(t)
  const [here, other] = [open(), open()]
  const peers = [await station(), await station(), await station()]
  await Promise.all(peers.map((each) => each.ask('on', 'x')))
  here.on('x', () => {})
  while ((await other.emitAsync('x')) < 4);
  await peers[0].ask('off')
  while ((await other.emitAsync('x')) !== 3);
  await here.close()
  assert.equal(await other.emitAsync('x'), 2)
  assert.equal(await peers[1].ask('emitAsync', 'x'), 2)
  // With the last of a process that serves, another one takes over.
  await other.close()
  while ((await peers[2].ask('emitAsync', 'x').catch(() => 0)) !== 2);
})

test('what was emitted is sent before it closes', limit, async (t) => {
  const { station, open } = await setting(t)
  const owner = await station()
  await owner.ask('onNumbers', 'x')
  const emitter = open()
  await emitter.ready
  for (const number of numbers(1000)) emitter.emit('x', number, 'x'.repeat(1000))
  await emitter.close()
  assert.equal((await owner.ask('heard', 1000)).length, 1000)
})

test('a process that only emits ends by itself, and what it emitted is heard', limit, async (t) => {
  const { station, open } = await setting(t)
  const emitter = open()
  for (const count of [0, 5000]) {
    const events = new EventEmitter()
    let heard = 0
    const all = count === 0 ? null : once(events, 'all')
    const listener = () => ++heard === count && events.emit('all')
    emitter.on('x', listener)
    const peer = await station()
    await peer.ask('ready')
    await peer.ask('emit', 'x', count, 'mark')
    await peer.ask('leave')
    assert.deepEqual(await peer.exited, [0, null])
    await all
    emitter.off('x', listener)
  }
})

for (const act of ['unrefOn', 'closeOn']) {
  test(`one that listens does not, until it says so: ${act}`, limit, async (t) => {
    const { station, open } = await setting(t)
    const emitter = open()
    const peer = await station()
    await peer.ask('ready')
    await peer.ask('on', 'x')
    await peer.ask(act, 'stop')
    await peer.ask('leave')
    await new Promise((resolve) => peer.child.once('disconnect', resolve))
    for (let i = 0; i < 50; i++) {
      await new Promise((resolve) => setTimeout(resolve, 2))
      assert.equal(await emitter.emitAsync('x'), 1)
    }
    emitter.emit('stop')
    assert.deepEqual(await peer.exited, [0, null])
  })
}

test('another token is refused', limit, async (t) => {
  const { station, open } = await setting(t)
  const owner = await station({ token: 'secret' })
  await owner.ask('on', 'x')
  const right = open({ token: 'secret' })
  assert.equal(await right.emitAsync('x'), 1)
  for (const options of [{}, { token: 'wrong' }]) {
    const wrong = open(options)
    await assert.rejects(wrong.ready, { code: 'ERR_NC_CONNECT' })
    await assert.rejects(wrong.emitAsync('x'), { code: 'ERR_NC_CONNECT' })
    await assert.rejects(wrong.stats(), { code: 'ERR_NC_CONNECT' })
    assert.equal(wrong.emit('x'), false)
  }
  assert.equal(await right.emitAsync('x'), 1)
})

test('in a process that serves with a token, another one throws', limit, async (t) => {
  const { open } = await setting(t)
  open({ token: 'secret' })
  assert.throws(() => open({ token: 'wrong' }), { code: 'ERR_NC_CONNECT' })
})

test('without anybody to connect to', limit, async (t) => {
  const { open } = await setting(t)
  const emitter = open({ host: 'never', connectTimeout: 100 })
  assert.equal(emitter.emit('x'), true)
  await Promise.all([
    assert.rejects(emitter.ready, { code: 'ERR_NC_CONNECT' }),
    assert.rejects(emitter.emitAsync('x'), { code: 'ERR_NC_CONNECT' }),
    assert.rejects(emitter.stats(), { code: 'ERR_NC_CONNECT' }),
  ])
  const closed = assert.rejects(emitter.emitAsync('x'), { code: 'ERR_NC_CLOSED' })
  await emitter.close()
  await closed
})

test('no more waits for a connection than there is room for', limit, async (t) => {
  const { open } = await setting(t)
  const emitter = open({ host: 'never', connectTimeout: 500 })
  let accepted = 0
  while (emitter.emit('x')) accepted++
  assert.equal(accepted, 10_000)
  await assert.rejects(emitter.emitAsync('x'), { code: 'ERR_NC_QUEUE_FULL' })
})
