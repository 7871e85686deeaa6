'use strict'

const { parentPort } = require('node:worker_threads')
const tasks = require('./tasks')

parentPort.on('message', ({ task, list }) =>
  parentPort.postMessage(list.map((item) => tasks[task](item))),
)
