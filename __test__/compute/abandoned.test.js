'use strict'

const assert = require('node:assert/strict')
const { execFile } = require('node:child_process')
const path = require('node:path')
const { after, before, test } = require('node:test')
const { promisify } = require('node:util')
const v8 = require('node:v8')
const vm = require('node:vm')
const { LocalManager, numbers } = require('./support.js')

const LIBRARY = path.join(__dirname, '..', '..')
/** So often garbage is collected before something counts as never collected. */
const COLLECTIONS = 200

v8.setFlagsFromString('--expose-gc')
const gc = vm.runInNewContext('gc')

/** @type {LocalManager} */
let manager
/** @type {any} */
let Iterator

before(() => {
  manager = new LocalManager({ local: 2 })
  Iterator = manager.Iterator
})
after(() => manager.close())

/** Collects garbage until something holds. */
async function collected(holds) {
  for (let n = 0; n < COLLECTIONS && !holds(); n++) {
    gc()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return holds()
}

/** Runs a program that has `stream()`; resolves with what it wrote once it has ended by itself. */
async function output(program) {
  const head = `
    const { IteratorClass } = require(${JSON.stringify(LIBRARY)})
    const Iterator = new IteratorClass()
    const stream = (fn, source = Array(100_000).keys()) => new Iterator(source).stream(fn)`
  const script = `${head}\n;(async () => {${program}})()`
  const run = promisify(execFile)
  return (await run(process.execPath, ['-e', script], { timeout: 30_000 })).stdout
}

const loop = (x) => {
  for (;;) return x
}

test('a stream that nobody reads to its end keeps no process alive', async () => {
  const program = `
    const it = stream((x) => { for (;;) return x })
    console.log((await it.next()).value, (await it.next()).value)
    globalThis.it = it`
  assert.equal(await output(program), '0 1\n')
})

test('neither does one whose workers are at it', async () => {
  const program = `
    const forever = (x) => x === 0 ? x : new Promise((resolve) => setTimeout(resolve, 2 ** 30))
    const it = globalThis.it = stream(forever)
    console.log((await it.next()).value)`
  assert.equal(await output(program), '0\n')
})

test('a read that waits does', async () => {
  const program = `
    const late = (x) => new Promise((resolve) => setTimeout(resolve, 200, x))
    const it = stream(late, [1, 2, 3])
    for await (const value of it) console.log(value)
    const again = stream(late, [4, 5])
    await again.next()
    again.next().then(({ value }) => console.log(value))`
  assert.equal(await output(program), '1\n2\n3\n5\n')
})

/** Reads one result and lets go of the stream. */
async function readOnce(source, options) {
  const { value } = await new Iterator(source).stream(loop, options).next()
  return value
}

test('a stream that was collected ends its work, and its source hears of it', async () => {
  let told = false
  async function* source() {
    try {
      for (let n = 0; ; n++) yield n
    } finally {
      told = true
    }
  }
  assert.equal(await readOnce(source()), 0)
  const { jobs } = manager._compute()
  assert.equal(jobs.size, 1)
  assert.ok(await collected(() => jobs.size === 0 && told))
  assert.equal(await readOnce([7], { signal: new AbortController().signal }), 7)
})

test('a read that waits is answered, though nobody has the stream any more', async () => {
  const source = numbers(20)
  const read = (() => {
    const stream = new Iterator(source).stream((x) =>
      x > 0 ? x : new Promise((resolve) => (globalThis.answer = () => resolve(x))),
    )
    return stream.next()
  })()
  await collected(() => globalThis.answer !== undefined)
  for (let n = 0; n < 20; n++) {
    gc()
    await new Promise((resolve) => setImmediate(resolve))
  }
  globalThis.answer()
  assert.deepEqual(await read, { value: 0, done: false })
  const { jobs } = manager._compute()
  assert.ok(await collected(() => jobs.size === 0))
  delete globalThis.answer
})
