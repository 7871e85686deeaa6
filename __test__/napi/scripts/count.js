'use strict'

// oxlint-disable unicorn/require-post-message-target-origin -- a message port has no origin

// A worker thread with one subscriber of 'flood', which counts what it gets for 400 ms.
const { parentPort, workerData } = require('node:worker_threads')
const { RawClient } = require('../../support/raw-client')

async function count() {
  const client = new RawClient({ port: workerData.port })
  await client.open()
  await client.handshake()
  await client.subscribe('flood')
  const before = client.frames.length
  parentPort.postMessage('subscribed')
  await new Promise((resolve) => setTimeout(resolve, 400))
  const received = client.frames.length - before
  parentPort.once('message', () => {
    parentPort.postMessage({ received })
    client.destroy()
  })
}

count()
