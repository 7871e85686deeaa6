'use strict'

// A thread that uses all of a memory, and says so after each round, until it is ended.

const { parentPort } = require('node:worker_threads')
const { NativeMemory } = require('../../../lib/core/native.js')

const memory = new NativeMemory('busy')
memory.scratch(new Float64Array(8))

/** @type {Map<number, { key: string, turn: boolean }>} */
const locks = new Map()

memory.onWake(() => {
  const mail = memory.drain()
  for (let at = 0; at < mail.length;) {
    if (mail[at] === 1) unlock(mail.slice(at, at + 4))
    at += mail[at] === 1 ? 4 : 3
  }
})

/** Gives back every second lock. */
function unlock([, id, high, low]) {
  const { key, turn } = locks.get(id)
  locks.delete(id)
  if (id % 2 === 0) memory.unlock(key, high, low, turn)
}

for (let at = 0; at < 5; at++) memory.watch(`k${at}`, true, 0, 0, at % 2 === 0)

let round = 0
function work() {
  round++
  for (let at = 0; at < 100; at++) {
    const key = `k${(at * round) % 997}`
    memory.setString(key, 'x'.repeat(at), at % 2 === 0)
    memory.get(key)
    memory.increment(`n${at}`, 1)
    memory.delete(`k${at}`)
  }
  for (const turn of [true, false]) {
    const key = `lock${round % 7}`
    locks.set(memory.lock(key, turn ? 0 : 20, turn), { key, turn })
  }
  new NativeMemory('busy').close()
  new NativeMemory(`other${round % 3}`).setNumber('k', round)
  parentPort.postMessage(round)
  setImmediate(work)
}
work()
