'use strict'

// A thread of memory.js: does one operation for a while, and says how often it did in a second.

const { inspect, isDeepStrictEqual } = require('node:util')
const { parentPort, workerData } = require('node:worker_threads')
const { count, keys, seconds, barrier, module: name } = workerData

/** Calls between two looks at the clock. */
const BLOCK = 100

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

/** Calls at once, and the mean number of them in a second. */
function sync(call) {
  let [calls, at] = [0, 0]
  const start = performance.now()
  const end = start + seconds * 1000
  let now = start
  while (now < end) {
    for (let index = 0; index < BLOCK; index++) {
      call(at)
      at = at + 1 === keys ? 0 : at + 1
    }
    calls += BLOCK
    now = performance.now()
  }
  return (calls / (now - start)) * 1000
}

/** As sync(), for calls that give a promise, with so many under way. */
async function async(call, flight) {
  let [calls, at] = [0, 0]
  const start = performance.now()
  const end = start + seconds * 1000
  let now = start
  while (now < end) {
    if (flight === 1) {
      for (let index = 0; index < BLOCK; index++) {
        await call(at)
        at = at + 1 === keys ? 0 : at + 1
        if ((index & 15) === 15 && performance.now() > end) {
          calls += index + 1 - BLOCK
          break
        }
      }
    } else {
      const pending = []
      for (let index = 0; index < flight; index++) {
        pending.push(call(at))
        at = at + 1 === keys ? 0 : at + 1
      }
      await Promise.all(pending)
    }
    calls += flight === 1 ? BLOCK : flight
    now = performance.now()
  }
  return (calls / (now - start)) * 1000
}

/** What a store does for an operation, by the number of a key; `null` if it has no such operation. */
function callOf(store, figure) {
  const [verb, kind = 'counter'] = figure.split('-')
  const [key, value] = [names.get(kind), values.get(kind)]
  const { [verb]: operation } = store.of(kind)
  if (!operation) return null
  if (verb === 'set') return (index) => operation(key[index], value[index])
  return (index) => operation(key[index])
}

async function answer(store, figure) {
  const call = callOf(store, figure)
  meet()
  if (!call) return null
  const { sync: now, flight = 1 } = store.how(figure)
  return now ? sync(call) : async(call, flight)
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
