'use strict'

// A thread of events.js: says when it has got all events, in their order.

const { parentPort, workerData } = require('node:worker_threads')
const { events, module: name, socket } = workerData

let next = 0

function receive({ id }) {
  if (id !== next) {
    parentPort.postMessage(`event ${id} instead of ${next}`)
    return
  }
  next++
  if (next < events) return
  next = 0
  parentPort.postMessage('')
}

async function main() {
  await require(`../buses/${name}`).receiver(receive, { parentPort, socket })
  parentPort.postMessage('')
}

main()
