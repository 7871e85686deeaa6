'use strict'

const assert = require('node:assert/strict')
const { consume, eventually, oursBehaviour, quiet } = require('../support')

oursBehaviour(
  'a client which is not read while the app is slow does not lose its connection as silent',
  { pingInterval: 100, pingTimeout: 400 },
  async (running) => {
    let seen = 0
    running.server.setMiddleware('inbound', async (stream) => {
      for await (const action of stream) {
        if (action.type === 'transmit' && seen++ === 0) await quiet(1500)
        action.allow()
      }
    })
    running.onConnection((socket) => {
      consume(socket.receiver('big'), () => {})
    })
    const { client, socket } = await running.rawPair()
    const blob = 'x'.repeat(100 << 10)
    for (let n = 0; n < 8; n++) client.transmit('big', blob)
    await eventually(() => seen === 8, 'all messages', 5000)
    assert.equal(socket.state, 'open')
    await quiet(600)
    assert.equal(client.gone(), false)
    assert.ok(client.pings > 5)
  },
)
