'use strict'

// One server in a process of its own, in which one step of the core is made to panic.
// Prints one JSON line with what was seen. argument: 'call' | 'event' | 'io' | 'drop'
const { consume, eventually, once, quiet, startServer } = require('../../support')

const where = process.argv[2]

/** Does what makes the core take the step which is to panic. */
const steps = {
  call: async ({ server }) => {
    try {
      await server.exchange.invokePublish('chaos', 1)
    } catch {
      // An exception is a fair answer to a call whose step panicked.
    }
  },
  event: async (running, client) => {
    client.transmit('heard', 1)
  },
  io: async (running, client) => {
    client.send({ event: '#publish', data: { channel: 'chaos', data: 2 } })
  },
}

/** Closes a second server and waits until nothing of it is left, so that its core is dropped. */
async function dropServer() {
  let second = await startServer()
  await second.assertServes()
  await second.untilEmpty()
  second.server._native.chaos(where)
  const left = new WeakRef(second.server)
  await second.stop()
  second = null
  await eventually(async () => {
    await quiet(5)
    global.gc()
    return left.deref() === undefined
  }, 'collected server')
  for (let n = 0; n < 5; n++) {
    await quiet(5)
    global.gc()
  }
}

/** Takes the step and resolves with the error which the server tells of it. */
async function panicIn(running, victim) {
  const failure = once(running.server, 'error')
  running.server._native.chaos(where)
  await steps[where](running, victim)
  return (await failure).error
}

async function main() {
  const running = await startServer()
  running.onConnection((socket) => {
    consume(socket.receiver('heard'), () => {})
  })
  const victim = await running.raw()
  const others = [await running.raw(), await running.raw()]
  for (const other of others) await other.subscribe('others')
  const error = where === 'drop' ? await dropServer() : await panicIn(running, victim)
  await others[0].publish('others', 'go on')
  for (const other of others) {
    await eventually(() => other.published('others').length === 1, 'publication of the others')
  }
  await running.assertServes()
  console.log(JSON.stringify({ where, error: error && error.message }))
  await running.stop()
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
