'use strict'

const Redis = require('ioredis')

const CHANNEL = 'events'

module.exports = {
  sender: async ({ socket }) => {
    const redis = new Redis({ path: socket })
    await redis.ping()
    let last = null
    return {
      emit: (event) => (last = redis.publish(CHANNEL, JSON.stringify(event))),
      flush: () => last,
    }
  },

  receiver: async (receive, { socket }) => {
    const redis = new Redis({ path: socket })
    redis.on('message', (_channel, message) => receive(JSON.parse(message)))
    await redis.subscribe(CHANNEL)
  },
}
