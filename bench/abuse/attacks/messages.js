'use strict'

// One big message.

const { open } = require('../client')
const { OPCODE } = require('../frames')
const { exactly, has, outcomeOf } = require('./outcomes')

const MB = 1024 * 1024
const LARGEST = 100 * MB

/** One message, and what comes until a packet behind it is answered. */
const message = (make) =>
  async function prepare({ port }) {
    const client = await open(port)
    const payload = make()
    return async () => {
      let answered = false
      client.onAnswer = (text) => {
        if (/^\{"rid":60[,}]/.test(text)) answered = true
      }
      client.frame(OPCODE.TEXT, payload)
      client.send('{"event":"#subscribe","data":{"channel":"c"},"cid":60}')
      await client.until(() => answered)
      return outcomeOf(client, { answers: client.answers - (answered ? 1 : 0) })
    }
  }

const filled = (head, unit, count, tail = '') =>
  Buffer.concat([Buffer.from(head), Buffer.alloc(unit.length * count, unit), Buffer.from(tail)])

/** A message of exactly so many bytes that is to be echoed. */
function echo(size) {
  const [head, tail] = ['{"event":"echo","cid":50,"data":"', '"}']
  return filled(head, 'x', size - head.length - tail.length, tail)
}

const deep = (head, depth, tail) =>
  Buffer.concat([
    Buffer.from(head),
    Buffer.alloc(depth, '['),
    Buffer.alloc(depth, ']'),
    Buffer.from(tail),
  ])

const refused = has('closed 1008')

module.exports = {
  objects: {
    title: '100 MB of `{},{},…` in an array',
    app: 'full',
    prepare: message(() => filled('[', '{},', 33_333_332, '{}]')),
    bars: { wait: 100, peak: 300 },
  },
  'deep-50m': {
    title: '50 million opening brackets',
    app: 'full',
    prepare: message(() => Buffer.alloc(50_000_000, '[')),
    bars: { wait: 100, peak: 150, outcome: refused },
  },
  'deep-100m': {
    title: '100 million opening brackets',
    app: 'full',
    prepare: message(() => Buffer.alloc(100_000_000, '[')),
    bars: { wait: 100, peak: 300, outcome: refused },
  },
  'deep-event': {
    title: 'an event with data of 1 million levels',
    app: 'full',
    prepare: message(() => deep('{"event":"any","data":', 1_000_000, '}')),
    bars: { wait: 100, outcome: refused },
  },
  'deep-echo': {
    title: 'a call with data of 1 million levels',
    app: 'full',
    prepare: message(() => deep('{"event":"echo","cid":50,"data":', 1_000_000, '}')),
    bars: { wait: 100, outcome: refused },
  },
  'deep-20m': {
    title: 'an event with data of 20 million levels',
    app: 'full',
    prepare: message(() => deep('{"event":"any","data":', 20_000_000, '}')),
    bars: { wait: 100, peak: 120, outcome: refused },
  },
  largest: {
    title: 'a call with 100 MiB, the most allowed',
    app: 'full',
    // Its answer is as large.
    options: { maxBackpressure: 2 * LARGEST },
    prepare: message(() => echo(LARGEST)),
    bars: { wait: 100, peak: 400, outcome: exactly({ answers: 1 }) },
  },
  'too-large': {
    title: 'a byte more than 100 MiB',
    app: 'full',
    prepare: message(() => echo(LARGEST + 1)),
    bars: { wait: 100, peak: 100, outcome: has('closed 1009') },
  },
}
