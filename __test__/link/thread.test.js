'use strict'

// The link's thread is there while somebody needs it.

const { test } = require('node:test')
const assert = require('node:assert/strict')
const fs = require('node:fs')
const { once } = require('node:events')
const { Worker } = require('node:worker_threads')
const { Client, hosts, frames, url } = require('../../lib/link')
const { getBody } = require('./support/memory')
const { freePort } = require('./support')

const { KINDS } = frames
const skip = process.platform !== 'linux' && 'only Linux names the threads of a process in /proc'
const limit = { skip, timeout: 90_000 }
const TASKS = '/proc/self/task'

/** How many threads of links this process has. */
function threads() {
  const names = fs.readdirSync(TASKS).map((id) => {
    try {
      return fs.readFileSync(`${TASKS}/${id}/comm`, 'utf8').trim()
    } catch {
      return 'gone'
    }
  })
  return names.filter((name) => name === 'es-nc-link').length
}

/** Resolves when there are so many, which the system tells nobody of. */
async function become(count) {
  while (threads() !== count) await new Promise((resolve) => setTimeout(resolve, 2))
}

const none = () => become(0)

/** A machine and a client of it, which has asked for something. */
async function pair() {
  const machine = hosts.listen('http://127.0.0.1:0', { token: 'secret' })
  const address = url.parse(`http://127.0.0.1:${machine.port}/m`)
  const client = new Client(address, { role: 'data', token: 'secret' })
  await client.request(KINDS.GET, getBody('k'))
  return { machine, client }
}

test('the thread ends with its last user, and comes back with the next', limit, async () => {
  await none()
  const kept = []
  for (let round = 0; round < 50; round++) {
    const { machine, client } = await pair()
    assert.equal(threads(), 1)
    // Whoever goes first: and nobody waits for the garbage collector.
    kept.push(machine, client)
    if (round % 2 === 0) client.close()
    machine.release()
    client.close()
    await none()
  }
  assert.equal(kept.length, 100)
})

test('a client alone has it until it is closed, also if nobody answers', limit, async () => {
  const address = url.parse(`http://127.0.0.1:${await freePort()}/`)
  const nobody = new Client(address, { role: 'data', connectTimeout: 100 })
  await assert.rejects(nobody.request(KINDS.GET, getBody('k')), { code: 'ERR_NC_CONNECT' })
  nobody.close()
  await none()
  // Connections wait until the machine lets them in.
  const held = hosts.listen('http://127.0.0.1:0', { held: true })
  const client = new Client(url.parse(`http://${held.key}/`), { role: 'data' })
  const asked = client.request(KINDS.GET, getBody('k'))
  await become(1)
  client.close()
  await assert.rejects(asked, { code: 'ERR_NC_CLOSED' })
  held.release()
  await none()
})

test('who closes and opens in one turn is served', limit, async () => {
  let { machine, client } = await pair()
  for (let round = 0; round < 50; round++) {
    machine.release()
    client.close()
    const next = await pair()
    machine = next.machine
    client = next.client
  }
  machine.release()
  client.close()
  await none()
})

test('several threads close and open as they like', limit, async () => {
  const script = `
    const { Client, hosts, frames, url } = require(${JSON.stringify(require.resolve('../../lib/link'))})
    const { getBody } = require(${JSON.stringify(require.resolve('./support/memory'))})
    const run = async () => {
      for (let round = 0; round < 50; round++) {
        const machine = hosts.listen('http://127.0.0.1:0')
        const client = new Client(url.parse('http://' + machine.key + '/m'), { role: 'data' })
        await client.request(frames.KINDS.GET, getBody('k'))
        client.close()
        machine.release()
      }
    }
    run()`
  const workers = Array.from({ length: 4 }, () => new Worker(script, { eval: true }))
  const codes = await Promise.all(workers.map(async (worker) => (await once(worker, 'exit'))[0]))
  assert.deepEqual(codes, [0, 0, 0, 0])
  await none()
})
