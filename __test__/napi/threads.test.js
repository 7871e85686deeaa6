'use strict'

// oxlint-disable unicorn/require-post-message-target-origin -- a message port has no origin

const assert = require('node:assert/strict')
const path = require('node:path')
const { Worker } = require('node:worker_threads')
const { eventually, once, oursTest, RawClient, startServer, transports } = require('../support')
const { transportOption, within } = require('../support')

const script = (name) => path.join(__dirname, 'scripts', name)

/** A worker thread which serves; resolves when it listens. */
async function serving(transport) {
  const worker = new Worker(script('serve.js'), { argv: [transport] })
  const failed = new Promise((_resolve, reject) => worker.once('error', reject))
  failed.catch(() => {})
  const { port } = await within(Promise.race([once(worker, 'message'), failed]), 'serving worker')
  return { worker, port }
}

async function assertEchoes(port) {
  const client = new RawClient({ port })
  await client.open()
  await client.handshake()
  assert.equal((await client.invoke('echo', 'hello')).data, 'hello')
  client.destroy()
}

/** Clients which publish as fast as they can until their connection ends. */
async function attack(port, count) {
  const clients = Array.from({ length: count }, () => new RawClient({ port }))
  for (const client of clients) {
    await client.open()
    await client.handshake()
    await client.subscribe('load')
  }
  const timer = setInterval(() => {
    for (const client of clients) {
      for (let n = 0; n < 20; n++) client.transmit('#publish', { channel: 'load', data: n })
    }
  }, 1)
  const end = () => {
    clearInterval(timer)
    for (const client of clients) client.destroy()
  }
  await clients[0].until(() => clients[0].published('load').length > 20)
  return { clients, end }
}

for (const transport of transports) {
  oursTest(`eight workers and the main thread serve at once (${transport})`, async () => {
    const main = await startServer(transportOption(transport))
    const workers = await Promise.all(Array.from({ length: 8 }, () => serving(transport)))
    try {
      await Promise.all(workers.map(({ port }) => assertEchoes(port)))
      await main.assertServes()
      for (const { worker } of workers) {
        const exited = once(worker, 'exit')
        worker.postMessage('close')
        assert.equal(await exited, 0)
      }
      await main.assertServes()
    } finally {
      await Promise.all(workers.map(({ worker }) => worker.terminate()))
      await main.stop()
    }
  })

  oursTest(
    `a worker can be terminated under load, twenty times (${transport})`,
    { timeout: 120000 },
    async () => {
      const main = await startServer(transportOption(transport))
      try {
        for (let round = 0; round < 20; round++) {
          const { worker, port } = await serving(transport)
          const load = await attack(port, 3)
          await worker.terminate()
          for (const client of load.clients) await client.untilEnded()
          load.end()
        }
        await main.assertServes()
      } finally {
        await main.stop()
      }
    },
  )
}

oursTest('the module can be loaded again after its servers have closed', async () => {
  const first = await startServer()
  await first.assertServes()
  await first.stop()
  const root = path.join(__dirname, '..', '..') + path.sep
  const cached = Object.keys(require.cache).filter(
    (file) => file.startsWith(root) && !file.includes('node_modules') && !file.includes('__test__'),
  )
  assert.ok(cached.length > 0)
  for (const file of cached) delete require.cache[file]
  const again = require('../..')
  assert.notEqual(again.attach, undefined)
  const http = require('node:http')
  const httpServer = http.createServer()
  const server = again.attach(httpServer, {})
  await new Promise((resolve) => httpServer.listen(0, '127.0.0.1', resolve))
  const client = new RawClient({ port: httpServer.address().port })
  await client.open()
  assert.equal((await client.handshake()).data.isAuthenticated, false)
  client.destroy()
  await eventually(() => server.clientsCount === 0)
  await server.close()
  await new Promise((resolve) => httpServer.close(resolve))
})
