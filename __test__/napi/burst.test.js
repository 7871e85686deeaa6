'use strict'

const assert = require('node:assert/strict')
const { fork } = require('node:child_process')
const path = require('node:path')
const { eventually, forEachTransport, once, oursTest, RawClient } = require('../support')

const AT_ONCE = 2000
const WAVE = 200
const ROUNDS = 5
const MEGABYTE = 1024 * 1024
// The collector and the allocator keep some of what is free; a record of each would be more.
const MORE_HEAP = 4 * MEGABYTE
const MORE_RSS = 32 * MEGABYTE

const script = path.join(__dirname, 'scripts', 'burst.js')

class Server {
  constructor(transport, listening) {
    const args = [transport, String(listening)]
    this.child = fork(script, args, { execArgv: ['--expose-gc'] })
  }

  async port() {
    const { port } = await once(this.child, 'message', 20000)
    return port
  }

  async holding() {
    const answer = once(this.child, 'message', 20000)
    this.child.send('what do you hold?')
    return answer
  }

  /** What it holds as soon as it has so many sessions after their handshake. */
  async holdingOf(open) {
    let held
    const there = async () => {
      held = await this.holding()
      return held.open === open && (open > 0 || (held.connections === 0 && held.known === 0))
    }
    await eventually(there, `${open} connections`, 20000)
    return held
  }
}

async function connect(port) {
  const client = new RawClient({ port })
  await client.open()
  await client.handshake()
  return client
}

/** Opens many connections and closes them; what the server holds with them and after them. */
async function burst(server, port) {
  const clients = []
  while (clients.length < AT_ONCE) {
    clients.push(...(await Promise.all(Array.from({ length: WAVE }, () => connect(port)))))
  }
  const amid = await server.holdingOf(AT_ONCE)
  for (const client of clients) client.destroy()
  const after = await server.holdingOf(0)
  return { amid, after }
}

forEachTransport((transport) => {
  for (const listening of [false, true]) {
    const kind = listening ? 'with' : 'without'
    const name = `${ROUNDS * AT_ONCE} connections that come and go ${kind} a listener leave nothing`
    oursTest(`${name} (${transport})`, { timeout: 180000 }, async () => {
      const server = new Server(transport, listening)
      try {
        const port = await server.port()
        // What grows once: compiled code, the heap, tables.
        const { amid, after: before } = await burst(server, port)
        assert.equal(amid.connections, AT_ONCE)
        assert.equal(amid.known, listening || transport === 'bridge' ? AT_ONCE : 0)
        let after
        for (let round = 0; round < ROUNDS; round++) ({ after } = await burst(server, port))
        const heap = after.heapUsed - before.heapUsed
        const rss = after.rss - before.rss
        assert.ok(heap < MORE_HEAP, `${heap} bytes of heap more than before`)
        assert.ok(rss < MORE_RSS, `${rss} bytes more than before`)
      } finally {
        server.child.kill()
      }
    })
  }
})
