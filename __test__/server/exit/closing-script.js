'use strict'

// A whole program: serves clients, closes its server, and must then end by itself.
// arguments: transport, number of clients, 'idle' or 'traffic'
const http = require('node:http')
const path = require('node:path')
const { RawClient } = require('../../support/raw-client')
const subject = require('../../support/subject')

const [transport, count, mode] = process.argv.slice(2)

async function main() {
  const httpServer = http.createServer()
  const server = subject.attach(httpServer, transport === 'default' ? {} : { transport })
  await server.listener('ready').once()
  await new Promise((resolve) => httpServer.listen(0, '127.0.0.1', resolve))
  const { port } = httpServer.address()
  const clients = []
  for (let n = 0; n < Number(count); n++) {
    const client = new RawClient({ port })
    await client.open()
    await client.handshake()
    await client.subscribe('busy')
    clients.push(client)
  }
  if (mode === 'traffic') {
    for (let n = 0; n < 200; n++) for (const each of clients) each.send(publication(n))
    await clients[0].until(() => clients[0].published('busy').length >= 20)
  }
  await server.close()
  httpServer.close()
  httpServer.closeAllConnections()
  for (const client of clients) await client.untilEnded()
  process.stdout.write(`closed ${path.basename(__filename)}\n`)
}

const publication = (n) => ({ event: '#publish', data: { channel: 'busy', data: n } })

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
