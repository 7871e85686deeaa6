'use strict'

// A thread or a process of a crew.

const { parentPort, workerData } = require('node:worker_threads')
const { SharedMemoryClass } = require('../../../lib/memory')
const tasks = require('./tasks.js')

const { url, options } = parentPort === null ? JSON.parse(process.argv[2]) : workerData
const memory = new SharedMemoryClass(url, options)

const port = parentPort ?? process
const post = (message) =>
  parentPort === null ? process.send(message) : parentPort.postMessage(message)

port.on('message', async ({ task, params }) => {
  try {
    post({ result: await tasks[task](memory, params) })
  } catch (error) {
    post({ failure: error?.stack ?? String(error) })
  }
})
