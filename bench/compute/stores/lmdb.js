'use strict'

// With `noSync`: nothing here is kept on the disk, and a sync for each put would be all that is measured.

const path = require('node:path')

const ENCODINGS = { number: 'msgpack', string: 'string', object: 'msgpack', bytes: 'binary' }

module.exports = {
  open: async ({ directory, options: { flight = 0 } }) => {
    const { open } = require('lmdb')
    const root = open({ path: path.join(directory, 'values'), noSync: true, maxDbs: 8 })
    const database = (name, encoding) => root.openDB({ name, encoding })
    const counters = database('counter', 'msgpack')
    const add = (key) => counters.putSync(key, (counters.get(key) ?? 0) + 1)
    const stores = new Map([
      [
        'counter',
        { increment: flight ? undefined : (key) => counters.transactionSync(() => add(key)) },
      ],
    ])
    for (const [kind, encoding] of Object.entries(ENCODINGS)) {
      const values = database(kind, encoding)
      stores.set(kind, {
        get: flight ? undefined : (key) => values.get(key),
        set: (key, value) => (flight ? values.put(key, value) : values.putSync(key, value)),
      })
    }
    return {
      of: (kind) => stores.get(kind),
      how: () => (flight ? { sync: false, flight } : { sync: true }),
    }
  },
}
