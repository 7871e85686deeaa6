'use strict'

const Redis = require('ioredis')

module.exports = {
  open: async ({ socket, options: { flight = 1 } }) => {
    const redis = new Redis({ path: socket })
    const set = (key, value) => redis.set(key, value)
    const increment = (key) => redis.incr(key)
    const stores = new Map([
      ['number', { get: async (key) => Number(await redis.get(key)), set }],
      ['string', { get: (key) => redis.get(key), set }],
      [
        'object',
        {
          get: async (key) => JSON.parse(await redis.get(key)),
          set: (key, value) => redis.set(key, JSON.stringify(value)),
        },
      ],
      ['bytes', { get: (key) => redis.getBuffer(key), set }],
      ['counter', { increment }],
    ])
    await redis.ping()
    return { of: (kind) => stores.get(kind), how: () => ({ sync: false, flight }) }
  },
}
