'use strict'

// oxlint-disable unicorn/require-post-message-target-origin -- a message port has no origin

const assert = require('node:assert/strict')
const { spawn } = require('node:child_process')
const path = require('node:path')
const { Worker } = require('node:worker_threads')
const { consume, eventually, once, oursTest, startServer } = require('../support')
const { transportOption, transports } = require('../support')

const BLOCKED = 2000
const QUEUE_LIMIT = 64 << 20
const script = (name) => path.join(__dirname, 'scripts', name)

const block = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)

for (const transport of transports) {
  oursTest(`process.exit under load ends with its code (${transport})`, async () => {
    const child = spawn(process.execPath, [script('exit-under-load.js'), transport], {
      stdio: ['ignore', 'inherit', 'pipe'],
    })
    let errors = ''
    child.stderr.on('data', (part) => (errors += part))
    const [code, signal] = await new Promise((resolve) =>
      child.once('exit', (...args) => resolve(args)),
    )
    assert.equal(signal, null, errors)
    assert.equal(code, 7, errors)
    assert.equal(errors, '')
  })

  oursTest(`queues stay bounded while JavaScript is blocked (${transport})`, async () => {
    const running = await startServer(transportOption(transport))
    const heard = []
    running.onConnection((socket) => {
      consume(socket.receiver('flood'), (data) => {
        heard.push(data.length)
      })
    })
    const workerData = { port: running.port, clients: 4, size: 64 << 10, event: 'flood' }
    const worker = new Worker(script('flood.js'), { workerData })
    try {
      await eventually(() => heard.length > 100, 'flood')
      block(BLOCKED)
      const { jsQueueBytes } = running.server._native.stats()
      assert.equal(typeof jsQueueBytes, 'number')
      assert.ok(jsQueueBytes <= QUEUE_LIMIT, `${jsQueueBytes} bytes are queued`)
      const before = heard.length
      await eventually(() => heard.length > before + 1000, 'flood after the block')
      assert.equal(running.sockets.filter(({ state }) => state === 'open').length, 4)
      await worker.terminate()
      await running.untilEmpty()
      await eventually(() => running.server._native.stats().jsQueueBytes === 0, 'empty queue')
    } finally {
      await worker.terminate()
      await running.stop()
    }
  })
}

oursTest('a blocked JavaScript thread does not hold up publications', async () => {
  const running = await startServer({ watch: false, transport: 'fd' })
  const workerData = { port: running.port, clients: 2, perMillisecond: 5 }
  const workers = [new Worker(script('flood.js'), { workerData })]
  try {
    await once(workers[0], 'message')
    workers.push(new Worker(script('count.js'), { workerData }))
    await once(workers[1], 'message')
    block(500)
    const counted = once(workers[1], 'message')
    workers[1].postMessage('count')
    const { received } = await counted
    assert.ok(received > 100, `${received} publications came while JavaScript was blocked`)
  } finally {
    for (const worker of workers) await worker.terminate()
    await running.stop()
  }
})
