'use strict'

// A whole program that listens: closes, or lets go of its listener, and must then end by itself.
// argument: 'close', 'clients', 'left' or 'unref'
const { RawClient } = require('../../support/raw-client')
const subject = require('../../support/subject')

const [mode] = process.argv.slice(2)

async function main() {
  const server = await new Promise((resolve) => {
    const made = subject.listen(0, {}, () => resolve(made))
  })
  const { httpServer } = server
  const { port } = httpServer.address()
  if (mode === 'unref') {
    httpServer.unref()
    process.stdout.write('closed\n')
    return
  }
  const client = new RawClient({ port })
  await client.open()
  await client.handshake()
  const closed = new Promise((resolve) => httpServer.close(resolve))
  if (mode === 'left') {
    // The listener is gone, the connection holds the process until it ends.
    setTimeout(() => client.destroy(), 300).unref()
    client.socket.unref()
    client.socket.on('close', () => process.stdout.write('closed\n'))
    return
  }
  if (mode === 'clients') client.destroy()
  await server.close()
  await closed
  await client.untilEnded()
  process.stdout.write('closed\n')
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
