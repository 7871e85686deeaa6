'use strict'

// oxlint-disable unicorn/require-post-message-target-origin -- a message port has no origin

// A worker thread with clients which send without end to the server at the given port.
// workerData: port, clients, size (bytes of each message), event, perMillisecond (messages, or all
// that the connection takes)
const { parentPort, workerData } = require('node:worker_threads')
const { RawClient } = require('../../support/raw-client')

const { port, clients, size = 100, event = '#publish', perMillisecond } = workerData
const filling = 'x'.repeat(size)
const body = event === '#publish' ? { channel: 'flood', data: filling } : filling
const message = JSON.stringify({ event, data: body })

async function flood() {
  const client = new RawClient({ port })
  await client.open()
  await client.handshake()
  if (event === '#publish') await client.subscribe('flood')
  parentPort.postMessage('flooding')
  while (!client.gone()) {
    let room = true
    for (let n = 0; n < (perMillisecond || 50) && room; n++) room = client.send(message)
    client.texts.length = 0
    client.packets.length = 0
    client.frames.length = 0
    await (room ? turn() : drained(client))
  }
}

const turn = () =>
  new Promise((resolve) => {
    if (perMillisecond) setTimeout(resolve, 1)
    else setImmediate(resolve)
  })

const drained = (client) =>
  new Promise((resolve) => {
    client.socket.once('drain', resolve)
    client.socket.once('close', resolve)
  })

for (let n = 0; n < clients; n++) flood().catch(() => {})
