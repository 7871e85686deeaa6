'use strict'

// Publishes at a rate, from a process of its own: half to a kept channel, half to a plain one, each with
// a subscriber in this process. Its argument is JSON: `{ port, rate }`.

const { encodeFrame, OPCODE } = require('../../support/frames')
const { LightClient } = require('./light-client')

const { port, rate } = JSON.parse(process.argv[2])
const CHANNELS = ['busy/kept', 'plain']

const frames = CHANNELS.map((channel) => {
  const packet = { event: '#publish', data: { channel, data: 'x'.repeat(100) } }
  return encodeFrame(OPCODE.TEXT, JSON.stringify(packet))
})

let sent = 0
let came = 0

async function main() {
  const clients = []
  for (const channel of CHANNELS) {
    const client = await new LightClient(port, ({ event }) => {
      if (event === '#publish') came++
    }).connect()
    await client.call('#subscribe', { channel })
    clients.push(client)
  }
  const began = performance.now()
  setInterval(() => {
    const wanted = Math.floor(((performance.now() - began) / 1000) * rate)
    const each = Math.floor((wanted - sent) / clients.length)
    clients.forEach((client, n) => client.socket.write(Buffer.concat(Array(each).fill(frames[n]))))
    sent += each * clients.length
  }, 2)
  process.on('message', () => {
    process.send({ perSecond: came / ((performance.now() - began) / 1000) })
  })
  process.on('disconnect', () => process.exit())
  process.send('ready')
}

main()
