'use strict'

const CHANNEL = 'events'

module.exports = {
  sender: async () => {
    const channel = new BroadcastChannel(CHANNEL)
    return { emit: (event) => channel.postMessage(event) }
  },

  receiver: async (receive) => {
    const channel = new BroadcastChannel(CHANNEL)
    channel.addEventListener('message', ({ data }) => receive(data))
  },
}
