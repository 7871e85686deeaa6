'use strict'

// The two places where a memory can be: every test of what a memory does runs for both.

const { SharedMemoryClass } = require('../../../lib/memory')
const { child, freeUrl } = require('./crew.js')

const TOKEN = 'only tests know this'

/** In this process. */
async function here(t, options) {
  const memory = new SharedMemoryClass(undefined, options)
  t.after(() => memory.close())
  return memory
}

/** In another process, which is in `owner`. */
async function elsewhere(t, options = {}) {
  const url = await freeUrl('test')
  const owner = await child({ url, options: { token: TOKEN } })
  const memory = new SharedMemoryClass(url, { host: 'never', token: TOKEN, ...options })
  await memory.ready
  t.after(async () => {
    await memory.close()
    await owner.end()
  })
  return Object.assign(memory, { owner, url })
}

const places = [
  { name: 'in this process', open: here },
  { name: 'in another process', open: elsewhere },
]

module.exports = { places, here, elsewhere, TOKEN }
