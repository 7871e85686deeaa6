'use strict'

const assert = require('node:assert/strict')
const { behaviour } = require('../support')

const allowAll = async (stream) => {
  for await (const action of stream) action.allow()
}

behaviour('a middleware type can be set once', async ({ server }) => {
  server.setMiddleware(server.MIDDLEWARE_INBOUND, allowAll)
  assert.throws(() => server.setMiddleware(server.MIDDLEWARE_INBOUND, allowAll), {
    name: 'InvalidActionError',
    message: 'Middleware inbound type has already been set',
  })
})

behaviour('an unknown middleware type is refused', async ({ server }) => {
  assert.throws(() => server.setMiddleware('sideways', allowAll), {
    name: 'InvalidArgumentsError',
    message: 'Middleware sideways type is not supported',
  })
})

behaviour('hasMiddleware tells what is set and removed', async ({ server }) => {
  assert.equal(server.hasMiddleware('outbound'), false)
  server.removeMiddleware('outbound')
  server.setMiddleware('outbound', allowAll)
  assert.equal(server.hasMiddleware('outbound'), true)
  server.removeMiddleware('outbound')
  assert.equal(server.hasMiddleware('outbound'), false)
  server.setMiddleware('outbound', allowAll)
})

behaviour('a removed middleware no longer decides for open sockets', async (running) => {
  const { server } = running
  server.setMiddleware('inbound', async (stream) => {
    for await (const action of stream) action.block(new Error('no'))
  })
  const client = await running.raw()
  assert.equal((await client.subscribe('a')).error.message, 'no')
  server.removeMiddleware('inbound')
  assert.equal((await client.subscribe('a')).error, undefined)
})

behaviour('a middleware function gets one stream for each socket', async (running) => {
  const streams = []
  running.server.setMiddleware('inbound', async (stream) => {
    streams.push(stream)
    for await (const action of stream) action.allow()
  })
  const one = await running.raw()
  const two = await running.raw()
  await one.subscribe('a')
  await one.subscribe('b')
  await two.subscribe('a')
  assert.equal(streams.length, 2)
  assert.notEqual(streams[0], streams[1])
  assert.equal(streams[0].type, 'inbound')
})

behaviour('answering an action twice throws an InvalidActionError', async (running) => {
  const errors = []
  running.server.setMiddleware('inbound', async (stream) => {
    for await (const action of stream) {
      assert.equal(action.outcome, null)
      action.allow()
      assert.equal(action.outcome, 'allowed')
      for (const again of [action.allow, action.block]) {
        try {
          again()
        } catch (error) {
          errors.push(error)
        }
      }
    }
  })
  const client = await running.raw()
  await client.subscribe('a')
  assert.deepEqual(
    errors.map(({ name, message }) => [name, message]),
    [
      ['InvalidActionError', 'AGAction subscribe has already been allowed; cannot allow'],
      ['InvalidActionError', 'AGAction subscribe has already been allowed; cannot block'],
    ],
  )
})

behaviour('no function is no middleware', async (running) => {
  running.server.setMiddleware('inbound', undefined)
  assert.equal(running.server.hasMiddleware('inbound'), false)
  const client = await running.raw()
  assert.equal((await client.subscribe('a')).error, undefined)
})
