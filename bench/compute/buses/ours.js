'use strict'

const { SharedEventEmitterClass } = require('../../..')

module.exports = {
  sender: async () => {
    const emitter = new SharedEventEmitterClass()
    await emitter.ready
    return { emit: (event) => emitter.emit('event', event) }
  },

  receiver: async (receive) => {
    const emitter = new SharedEventEmitterClass()
    await emitter.ready
    emitter.on('event', receive)
  },
}
