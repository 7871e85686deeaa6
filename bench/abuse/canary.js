'use strict'

// A client that attacks nobody, in a process of its own: a message every 20 ms, whose way through
// the server and back is timed. PORT; BY: `echo` (a procedure) or `publish` (to itself).
// Asked by a message, it tells its longest wait since it was asked before.

const { Client } = require('./client')
const { textFrame } = require('./frames')

const INTERVAL = 20

const { PORT, BY } = process.env
const CALL = {
  echo: (n) => `{"event":"echo","data":${n},"cid":${n}}`,
  publish: (n) => `{"event":"#publish","data":{"channel":"canary","data":${n}}}`,
}[BY]

async function sing() {
  const client = await new Client(Number(PORT)).connect()
  await client.upgrade()
  await client.handshake()
  if (BY === 'publish') {
    client.send('{"event":"#subscribe","data":{"channel":"canary"},"cid":2}')
    await client.until((it) => it.answers === 1)
  }
  const sent = []
  let worst = 0
  const arrived = () => {
    worst = Math.max(worst, performance.now() - sent.shift())
  }
  if (BY === 'echo') client.onAnswer = arrived
  else client.onDelivery = arrived
  let n = 10
  const timer = setInterval(() => {
    sent.push(performance.now())
    client.write(textFrame(CALL(n++)))
  }, INTERVAL)
  process.on('message', () => {
    const waiting = sent.length > 0 ? performance.now() - sent[0] : 0
    process.send({ worst: Math.max(worst, waiting), gone: client.gone() })
    worst = 0
    if (client.gone()) clearInterval(timer)
  })
  process.send({ singing: !client.gone() })
}

process.on('disconnect', () => process.exit())
sing()
