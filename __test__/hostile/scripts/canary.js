'use strict'

// oxlint-disable unicorn/require-post-message-target-origin -- a message port has no origin

// A worker thread with a client which makes a call every 20 ms. Asked by a message, it tells the
// longest wait for an answer up to then in ms, and whether it still is connected.
const { parentPort, workerData } = require('node:worker_threads')
const { RawClient } = require('../../support/raw-client')

async function sing() {
  const client = new RawClient({ port: workerData.port })
  await client.open()
  await client.handshake()
  let worst = 0
  const calls = setInterval(async () => {
    const start = performance.now()
    try {
      await client.invoke('echo', 1, 20000)
    } catch {
      // Told below: the connection is gone.
    }
    worst = Math.max(worst, performance.now() - start)
    client.packets = client.packets.slice(-50)
  }, 20)
  parentPort.once('message', () => {
    clearInterval(calls)
    parentPort.postMessage({ worst: Math.round(worst), gone: client.gone() })
    client.destroy()
    parentPort.close()
  })
  parentPort.postMessage('singing')
}

sing()
