'use strict'

const assert = require('node:assert/strict')
const v8 = require('node:v8')
const vm = require('node:vm')
const { eventually, oursTest, quiet, startServer } = require('../support')

v8.setFlagsFromString('--expose-gc')
const gc = vm.runInNewContext('gc')

/** Runs a server to its end; what is left are weak references to it and its core. */
async function usedServer() {
  const running = await startServer()
  await running.assertServes()
  await running.untilEmpty()
  await running.stop()
  return [running.server, running.server._native.core].map((each) => new WeakRef(each))
}

oursTest('a server which nobody needs any more is collected, its core too', async () => {
  const left = await usedServer()
  await eventually(async () => {
    await quiet(5)
    gc()
    return left.every((each) => each.deref() === undefined)
  }, 'collected server')
})

oursTest('a server which only its clients hold is not', async () => {
  const client = await (async () => {
    const running = await startServer({ watch: false })
    const raw = await running.raw()
    running.httpServer.removeAllListeners()
    running.httpServer.close()
    return raw
  })()
  for (let n = 0; n < 20; n++) {
    await quiet(5)
    gc()
  }
  assert.deepEqual((await client.subscribe('here')).rid, 2)
  client.destroy()
})
