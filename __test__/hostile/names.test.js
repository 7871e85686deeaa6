'use strict'

const assert = require('node:assert/strict')
const { spawn } = require('node:child_process')
const path = require('node:path')
const { createInterface } = require('node:readline')
const { eventually, forEachTransport, oursTest, RawClient, within } = require('../support')

const NAMES = ['__proto__', 'constructor', 'prototype', 'toString', 'valueOf', 'hasOwnProperty']
NAMES.push('isPrototypeOf', '__defineGetter__', 'toLocaleString', '__lookupSetter__')

/** A server in a process of its own, so that this one is safe from what the names may do. */
async function serverProcess(transport) {
  const script = path.join(__dirname, 'names-script.js')
  const child = spawn(process.execPath, [script, transport], { stdio: ['pipe', 'pipe', 'inherit'] })
  const exited = new Promise((resolve) => child.on('exit', resolve))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const line = async () => {
    const next = await within(lines.next(), 'line of the server process')
    assert.equal(next.done, false, 'the server process has ended')
    return next.value
  }
  const port = Number((await line()).split(' ')[1])
  const clients = []
  return {
    alive: () => child.exitCode === null && child.signalCode === null,
    async client(query = '') {
      const client = new RawClient({ port, path: `/socketcluster/${query}` })
      clients.push(client)
      await client.open()
      await client.handshake()
      return client
    },
    async state() {
      child.stdin.write('state\n')
      return JSON.parse(await line())
    },
    async stop() {
      for (const client of clients) client.destroy()
      child.stdin.end()
      await within(exited, 'end of the server process')
    },
  }
}

function inProcess(name, body) {
  forEachTransport((transport) => {
    oursTest(`${name} (${transport})`, async () => {
      const server = await serverProcess(transport)
      try {
        await body(server)
        const other = await server.client()
        assert.equal((await other.invoke('echo', 'alive')).data, 'alive')
        other.destroy()
        await eventually(async () => (await server.state()).clientsCount <= 1, 'closed client')
        assert.equal((await server.state()).polluted, false)
        assert.ok(server.alive())
      } finally {
        await server.stop()
      }
    })
  })
}

inProcess('built-in names are ordinary event names', async (server) => {
  const client = await server.client()
  for (const event of NAMES) {
    client.send(`{"event":${JSON.stringify(event)},"data":{"a":1}}`)
    client.send(`{"event":${JSON.stringify(event)},"data":{"a":1},"cid":5000}`)
    client.send(`{"event":${JSON.stringify(event)}}`)
  }
  assert.equal((await client.invoke('echo', 1)).data, 1)
  assert.equal(
    client.allPackets().some(({ rid }) => rid === 5000),
    false,
  )
})

inProcess('a procedure may have a built-in name', async (server) => {
  for (const name of NAMES) {
    const client = await server.client(`?names=${name}`)
    assert.equal((await client.invoke(name, 'x')).data, 'x', name)
    client.destroy()
  }
})

inProcess('built-in names are ordinary channel names', async (server) => {
  for (const channel of NAMES) {
    const client = await server.client()
    assert.equal((await client.subscribe(channel)).error, undefined, channel)
    await client.publish(channel, 'hit')
    assert.deepEqual(client.published(channel), ['hit'])
    assert.deepEqual(await client.invoke('#unsubscribe', channel), { rid: 4 })
    assert.equal((await client.invoke('#unsubscribe', channel)).error.name, 'BrokerError')
    await client.publish(channel, 'miss')
    assert.deepEqual(client.published(channel), ['hit'])
    client.destroy()
  }
})

inProcess('built-in names count towards socketChannelLimit', async (server) => {
  const client = await server.client()
  const errors = []
  for (const channel of NAMES) errors.push((await client.subscribe(channel)).error)
  assert.deepEqual(errors.slice(0, 3), [undefined, undefined, undefined])
  for (const error of errors.slice(3)) assert.equal(error.name, 'BrokerError')
})

inProcess('clients which leave with such channels leave nothing behind', async (server) => {
  for (const channel of NAMES) {
    const client = await server.client()
    await client.subscribe(channel)
    client.destroy()
  }
  await eventually(async () => (await server.state()).clientsCount === 0, 'no client')
  assert.equal((await server.state()).pendingClientsCount, 0)
})

inProcess('built-in keys inside data stay data', async (server) => {
  const client = await server.client()
  const data = '{"__proto__":{"a":1},"constructor":{"prototype":{"b":2}},"x":{"__proto__":null}}'
  client.send(`{"event":"echo","data":${data},"cid":60}`)
  await client.response(60)
  assert.equal(client.texts.at(-1), `{"rid":60,"data":${data}}`)
  client.send(`{"event":"#subscribe","data":{"channel":"a","__proto__":{"y":1}},"cid":61}`)
  assert.equal((await client.response(61)).error, undefined)
  client.send(`{"event":"#publish","data":{"channel":"a","data":${data}},"cid":62}`)
  await client.response(62)
  const publication = client.texts.find((text) => text.includes('"#publish"'))
  assert.equal(publication, `{"event":"#publish","data":{"channel":"a","data":${data}}}`)
})

inProcess('answers with built-in keys in their error are harmless', async (server) => {
  const client = await server.client()
  client.send('{"rid":1,"error":{"__proto__":{"x":1},"message":"m","toString":"x"}}')
  client.send('{"rid":"__proto__","data":1}')
  assert.equal((await client.invoke('echo', 1)).data, 1)
})
