'use strict'

module.exports = {
  sender: async ({ threads }) => ({
    emit: (event) => {
      for (const thread of threads) thread.postMessage(event)
    },
  }),

  receiver: async (receive, { parentPort }) => void parentPort.on('message', receive),
}
