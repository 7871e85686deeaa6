'use strict'

// Writes to the memory in a directory, by all methods at once, until it is killed. Each write that was
// acknowledged is a line, which ends with a full stop: `set <key> <number>`, `delete <key> <number>`,
// `count`, or `moved`.

const fs = require('node:fs')
const { SharedMemoryClass } = require('../../../lib/memory')
const { freeUrl } = require('./crew.js')

const WRITERS = 4

/** At once: what waits in this process is lost with it. */
const say = (...words) => void fs.writeSync(1, `${words.join(' ')} .\n`)

/** Ways to add one. */
const ADDING = [
  (memory) => memory.increment('count'),
  (memory) => memory.update('count', (old = 0) => old + 1),
  (memory) => memory.transaction((tx) => tx.increment('count')),
  (memory) => memory.runOnKey('count', (entry) => void (entry.value = (entry.value ?? 0) + 1)),
]

async function setAndDelete(memory, key) {
  for (let i = ((await memory.get(key)) ?? 0) + 1; ; i++) {
    await memory.set(key, i)
    say('set', key, i)
    if (i % 5 !== 0) continue
    await memory.delete(`${key} gone`)
    say('delete', `${key}-gone`, i)
    await memory.set(`${key} gone`, i)
  }
}

async function count(memory, add) {
  for (;;) {
    await add(memory)
    say('count')
  }
}

async function move(memory) {
  for (;;) {
    await memory.transaction(async (tx) => {
      await tx.set('from', ((await tx.get('from')) ?? 0) - 1)
      await tx.set('to', ((await tx.get('to')) ?? 0) + 1)
    })
    say('moved')
  }
}

async function main() {
  const durable = { directory: process.argv[2] }
  const memory = new SharedMemoryClass(await freeUrl(), { durable })
  const names = Array.from({ length: WRITERS }, (_, i) => `key-${i}`)
  await Promise.all([
    ...names.map((name) => setAndDelete(memory, name)),
    ...ADDING.map((add) => count(memory, add)),
    move(memory),
  ])
}

void main()
