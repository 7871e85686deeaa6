'use strict'

const path = require('node:path')

/** Items in lists of so many. */
function split(items, size) {
  const lists = []
  for (let from = 0; from < items.length; from += size) lists.push(items.slice(from, from + size))
  return lists
}

/**
 * A pool that calls a worker's function by name, as all here are measured.
 *
 * @param {{ each?: boolean, chunk: number, directory: string, multiplier: number }} options
 * @param {(name: string, argument: unknown) => Promise<any>} call
 */
async function named({ each, chunk, directory, multiplier }, call) {
  process.env.BENCH_DIRECTORY = directory
  const values = require('lmdb').open({ path: path.join(directory, 'scope') })
  await values.put('multiplier', multiplier)
  return {
    map: async (task, items) => {
      if (each || task === 'burn') return Promise.all(items.map((item) => call(task, item)))
      const lists = split(items, chunk)
      return (await Promise.all(lists.map((list) => call(`${task}All`, list)))).flat()
    },
  }
}

module.exports = { named, split }
