'use strict'

// Threads without a pool, each with its part of the items: what the machine gives at most.

const { once } = require('node:events')
const { Worker } = require('node:worker_threads')
const { split } = require('./lists')

module.exports = async ({ threads }) => {
  const workers = Array.from({ length: threads }, () => new Worker(require.resolve('./raw-worker')))
  await Promise.all(workers.map((worker) => once(worker, 'online')))
  return {
    map: async (task, items) => {
      const lists = split(items, Math.ceil(items.length / threads))
      const parts = lists.map(async (list, index) => {
        workers[index].postMessage({ task, list })
        return (await once(workers[index], 'message'))[0]
      })
      return (await Promise.all(parts)).flat()
    },
  }
}
