'use strict'

// Another process, which does what it is told: `{ id, act, args }` is answered with `{ id, result }` or
// `{ id, error }`. It lives as long as its parent listens, or with `leave` as long as the link keeps it.

const { hosts } = require('../../../lib/link')
const { Memory } = require('./memory')

let joined
let memory

const acts = {
  join(url, options) {
    joined = hosts.join(url, options)
    memory = new Memory(joined)
    joined.on('change', () => process.send?.({ event: 'change' }))
    joined.on('down', () => process.send?.({ event: 'down' }))
    return joined.local
  },
  async ready() {
    await joined.ready
    return joined.local
  },
  local: () => joined.local,
  set: (key, value) => memory.set(key, value),
  get: (key) => memory.get(key),
  increment: (key) => memory.increment(key),
  close() {
    joined.close()
    joined.close()
  },
  leave: () => setImmediate(() => process.disconnect()),
}

process.on('message', async ({ id, act, args }) => {
  try {
    process.send({ id, result: await acts[act](...args) })
  } catch (error) {
    process.send?.({ id, error: { code: error.code, message: error.message } })
  }
})
process.send({ event: 'here' })
