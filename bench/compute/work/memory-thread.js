'use strict'

// A thread of memory.js: does one operation for a while, and says how often it did in a second.

const { inspect, isDeepStrictEqual } = require('node:util')
const { parentPort, workerData } = require('node:worker_threads')
const { count, keys, seconds, barrier, module: name } = workerData

const VALUES = {
  number: (index) => index * 1.5,
  string: (index) => `value ${index}`.padEnd(20, '.'),
  object: (index) => ({ id: index, name: 'somebody', tags: ['a', 'b'], active: true }),
  bytes: (index) => Buffer.alloc(1024, index),
}

const names = new Map()
const values = new Map()

for (const kind of Object.keys(VALUES)) {
  names.set(
    kind,
    list((index) => `${kind}:${index}`),
  )
  values.set(kind, list(VALUES[kind]))
}
names.set(
  'counter',
  list((index) => `counter:${index}`),
)

function list(make) {
  return Array.from({ length: keys }, (_, index) => make(index))
}

/** Resolves when all threads have come here. */
function meet() {
  const round = Atomics.load(barrier, 1)
  if (Atomics.add(barrier, 0, 1) + 1 < count) {
    Atomics.wait(barrier, 1, round)
    return
  }
  Atomics.store(barrier, 0, 0)
  Atomics.add(barrier, 1, 1)
  Atomics.notify(barrier, 1)
}

/** Calls, as often as there is time for, and how many of them a second would have had. */
async function rate(block, calls) {
  let [count, at] = [0, 0]
  const start = performance.now()
  const end = start + seconds * 1000
  let now = start
  while (now < end) {
    const done = block(at)
    // Awaiting what is no promise would cost more than many a call.
    if (done !== undefined) await done
    at = (at + calls) % keys
    count += calls
    now = performance.now()
  }
  return (count / (now - start)) * 1000
}

/** A function that was made for this operation alone, so that V8 knows what it calls. */
function compile(body, async = '') {
  const source = `return ${async} function (at) {\n${body}\n}`
  return new Function('operation', 'key', 'value', 'sink', source)
}

const SYNC = 'for (let i = 0; i < 100; i++) sink.last = operation(key[at + i], value[at + i])'
const ONE = 'for (let i = 0; i < 10; i++) sink.last = await operation(key[at + i], value[at + i])'
const MANY = `
  const pending = []
  for (let i = 0; i < 100; i++) pending.push(operation(key[at + i], value[at + i]))
  await Promise.all(pending)`

/** So many calls, and a function that makes them: at once, one after the other or so many under way. */
function blockOf({ sync, flight }) {
  if (sync) return [100, compile(SYNC)]
  return flight === 1 ? [10, compile(ONE, 'async')] : [flight, compile(MANY, 'async')]
}

async function answer(store, figure) {
  const [verb, kind = 'counter'] = figure.split('-')
  const { [verb]: operation } = store.of(kind)
  meet()
  if (!operation) return null
  const { sync = false, flight = 1 } = store.how(figure)
  const [calls, make] = blockOf({ sync, flight })
  // A counter has no value: it counts in steps of one.
  const value = values.get(kind) ?? []
  return rate(make(operation, names.get(kind), value, { last: null }), calls)
}

/** Sets all values, so that each can be read; throws unless one comes back as it was set. */
async function fill(store) {
  for (const kind of Object.keys(VALUES)) {
    const { get, set } = store.of(kind)
    if (!set) continue
    await Promise.all(names.get(kind).map((key, index) => set(key, values.get(kind)[index])))
    if (!get) continue
    const [got, wanted] = [await get(names.get(kind)[7]), values.get(kind)[7]]
    if (!isDeepStrictEqual(plain(got), plain(wanted))) throw new Error(`${kind}: ${inspect(got)}`)
  }
}

/** Bytes come as a Buffer or as a Uint8Array. */
function plain(value) {
  return value instanceof Uint8Array ? [...value] : value
}

async function main() {
  const store = await require(`../stores/${name}`).open(workerData)
  await fill(store)
  parentPort.on('message', async (figure) => parentPort.postMessage(await answer(store, figure)))
  parentPort.postMessage('open')
}

main()
