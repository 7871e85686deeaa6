'use strict'

// Names that a plain object has by itself.

const { open } = require('../client')
const { exactly, outcomeOf } = require('./outcomes')

const NAMES = ['constructor', '__proto__', 'toString', 'valueOf', 'hasOwnProperty']
const SOCKETS = 300

async function prepareNames({ port }) {
  const client = await open(port)
  return async () => {
    for (const name of NAMES) {
      client.send(`{"event":"${name}"}`)
      client.send(`{"event":"${name}","data":1,"cid":50}`)
      client.send(`{"rid":1,"error":{"name":"${name}"}}`)
    }
    client.send('{"event":"echo","data":1,"cid":60}')
    await client.until((it) => it.answers === 1)
    return outcomeOf(client, { answers: client.answers })
  }
}

async function prepareSubscribe({ port }) {
  const clients = await Promise.all(Array.from({ length: SOCKETS }, () => open(port)))
  return async () => {
    for (const client of clients) {
      client.send('{"event":"#subscribe","data":{"channel":"__proto__"},"cid":50}')
    }
    await Promise.all(clients.map((client) => client.until((it) => it.answers === 1)))
    const answers = clients.reduce((sum, client) => sum + client.answers, 0)
    clients.forEach((client) => client.destroy())
    return { answers }
  }
}

module.exports = {
  names: {
    title: 'events named `constructor`, `__proto__`, …',
    app: 'full',
    prepare: prepareNames,
    bars: { wait: 100, outcome: exactly({ answers: 1 }) },
  },
  proto: {
    title: '300 sockets subscribe to `__proto__`',
    app: 'full',
    prepare: prepareSubscribe,
    bars: {
      wait: 100,
      outcome: ({ answers }, after) =>
        answers === SOCKETS && after.strangeKeys === 0 && after.pending === 0,
    },
  },
}
