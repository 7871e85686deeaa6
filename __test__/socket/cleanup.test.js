'use strict'

const assert = require('node:assert/strict')
const { behaviour, eventually, once, quiet } = require('../support')

/** Sends fifteen transmits to a receiver which takes 5 ms for each, then closes. */
async function slowLoop(running) {
  const { client, socket } = await running.rawPair()
  const state = { handled: 0, ended: false }
  ;(async () => {
    for await (const data of socket.receiver('n')) {
      await quiet(5)
      state.handled = data
    }
    state.ended = true
  })()
  for (let n = 1; n <= 15; n++) client.transmit('n', n)
  await client.subscribe('barrier')
  const end = once(socket, 'end')
  client.sendClose(1000)
  await end
  return state
}

behaviour(
  'kill stops loops where they are',
  { socketStreamCleanupMode: 'kill' },
  async (running) => {
    const state = await slowLoop(running)
    await eventually(() => state.ended, 'end of the loop')
    assert.ok(state.handled < 15, `${state.handled} handled`)
  },
)

behaviour(
  'close lets loops finish what came',
  { socketStreamCleanupMode: 'close' },
  async (running) => {
    const state = await slowLoop(running)
    await eventually(() => state.ended, 'end of the loop')
    assert.equal(state.handled, 15)
  },
)

behaviour('none leaves loops waiting', { socketStreamCleanupMode: 'none' }, async (running) => {
  const state = await slowLoop(running)
  await eventually(() => state.handled === 15, 'fifteen transmits')
  await quiet(20)
  assert.equal(state.ended, false)
})

behaviour('killAllStreams ends listeners, receivers and procedures', async (running) => {
  const { socket } = await running.rawPair()
  const loops = [socket.listener('error'), socket.receiver('r'), socket.procedure('p')].map(
    async (stream) => {
      for await (const value of stream) assert.fail(`unexpected ${value}`)
    },
  )
  socket.killAllStreams()
  await Promise.all(loops)
  assert.equal(socket.getAllListenersBackpressure(), 0)
})

behaviour('closeAllListeners of the server ends its loops', async (running) => {
  const loop = (async () => {
    for await (const event of running.server.listener('nothing')) assert.fail(event)
    return 'ended'
  })()
  running.server.closeAllListeners()
  assert.equal(await loop, 'ended')
  await running.assertServes()
})
