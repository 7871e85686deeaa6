'use strict'

// Several processes share a memory and events by URL alone: whichever comes first serves it.
// Usage: node examples/shared-state [processes]

const { fork } = require('node:child_process')
const { SharedEventEmitterClass, SharedMemoryClass } = require('../..')

const url = process.env.SHARED_STATE_URL ?? 'http://localhost:12345'
const visits = 1000

async function member(name) {
  const memory = new SharedMemoryClass(url)
  const events = new SharedEventEmitterClass(url)
  for (let i = 0; i < visits; i++) await memory.increment('visits')
  // Read, changed and written as one: no visit of another process is lost.
  await memory.update('names', (names = []) => [...names, name])
  await events.emitAsync('done', name)
  await Promise.all([memory.close(), events.close()])
}

async function main(count) {
  const memory = new SharedMemoryClass(url)
  const events = new SharedEventEmitterClass(url)
  const all = new Promise((resolve) => {
    const missing = new Set(Array.from({ length: count }, (_, i) => `process ${i + 1}`))
    events.on('done', (name) => {
      console.log(`${name} is done`)
      missing.delete(name)
      if (missing.size === 0) resolve(undefined)
    })
  })
  await Promise.all([memory.ready, events.ready])
  await memory.delete('visits')
  await memory.delete('names')
  for (let i = 0; i < count; i++) fork(__filename, ['member', `process ${i + 1}`])
  await all
  console.log(`${await memory.get('visits')} visits of ${(await memory.get('names')).join(', ')}`)
  await Promise.all([memory.close(), events.close()])
}

const work =
  process.argv[2] === 'member' ? member(process.argv[3]) : main(Number(process.argv[2] ?? 3))
work.catch((error) => {
  console.error(error)
  process.exitCode = 1
})
