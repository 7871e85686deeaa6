'use strict'

// Many packets in one message.

const { open } = require('../client')
const { OPCODE } = require('../frames')
const { exactly, outcomeOf } = require('./outcomes')

const COUNT = 100_000
const SUBSCRIBERS = 10
const NUMBERS = 20_000_000

const call = (n) => `{"event":"echo","data":${n},"cid":${1000 + n}}`
const subscribe = (n) => `{"event":"#subscribe","data":{"channel":"c${n}"},"cid":${1000 + n}}`
const publish = (n) => `{"event":"#publish","data":{"channel":"all","data":${n}}}`

const batchOf = (packet) => Buffer.from(`[${Array.from({ length: COUNT }, (_, n) => packet(n))}]`)

/** A batch that is answered packet by packet. */
const answered = (packet) =>
  async function prepare({ port }) {
    const client = await open(port)
    const payload = batchOf(packet)
    return async () => {
      client.frame(OPCODE.TEXT, payload)
      await client.until((it) => it.answers === COUNT)
      return outcomeOf(client, { answers: client.answers - client.errors, errors: client.errors })
    }
  }

async function preparePublish({ port }) {
  const client = await open(port)
  const subscribers = await Promise.all(Array.from({ length: SUBSCRIBERS }, () => open(port)))
  for (const each of subscribers) {
    each.send('{"event":"#subscribe","data":{"channel":"all"},"cid":2}')
    await each.until((it) => it.answers === 1)
  }
  const payload = batchOf(publish)
  return async () => {
    client.frame(OPCODE.TEXT, payload)
    await Promise.all(subscribers.map((each) => each.until((it) => it.deliveries >= COUNT)))
    const deliveries = subscribers.reduce((sum, each) => sum + each.deliveries, 0)
    return outcomeOf(client, { deliveries })
  }
}

async function prepareNumbers({ port }) {
  const client = await open(port)
  const payload = Buffer.alloc(2 * NUMBERS + 1, '1,')
  payload.write('[')
  for (let at = 1; at < payload.length; at += 2) payload.write('1,', at)
  payload.write(']', payload.length - 1)
  return async () => {
    client.frame(OPCODE.TEXT, payload)
    client.send('{"event":"#subscribe","data":{"channel":"c"},"cid":60}')
    await client.until((it) => it.answers === 1)
    return outcomeOf(client)
  }
}

const all = exactly({ answers: COUNT, errors: 0 })

module.exports = {
  'batch-calls': {
    title: 'a batch of 100,000 calls',
    app: 'full',
    prepare: answered(call),
    bars: { wait: 100, outcome: all },
  },
  'batch-subscribe': {
    title: 'a batch of 100,000 subscriptions',
    app: 'full',
    prepare: answered(subscribe),
    bars: { wait: 100, outcome: all },
  },
  'batch-publish': {
    title: 'a batch of 100,000 publications to 10 subscribers',
    app: 'full',
    prepare: preparePublish,
    bars: { wait: 100, peak: 300, outcome: exactly({ deliveries: COUNT * SUBSCRIBERS }) },
  },
  'batch-numbers': {
    title: 'a batch of 20 million numbers',
    app: 'full',
    prepare: prepareNumbers,
    bars: { wait: 100, peak: 120 },
  },
}
