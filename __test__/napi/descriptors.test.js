'use strict'

const assert = require('node:assert/strict')
const { spawn } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { eventually, once, oursTest, RawClient, startServer, ways } = require('../support')
const { transportOption, within } = require('../support')

const SOCKETS = 2000
const isLinux = process.platform === 'linux'
const skip = isLinux ? false : 'descriptors are counted in /proc'
const descriptors = () => fs.readdirSync('/proc/self/fd').length

/** Opens many clients, closes the server under them, and waits until all has ended. */
async function closeUnder(transport, count) {
  const running = await startServer({ watch: false, ...transportOption(transport) })
  const clients = []
  while (clients.length < count) {
    clients.push(...(await Promise.all(Array.from({ length: 100 }, () => running.raw()))))
  }
  await Promise.all(clients.map((client) => client.subscribe('all')))
  running.server.exchange.transmitPublish('all', 'amid the close')
  await running.close()
  await Promise.all(clients.map((client) => client.untilEnded(20000)))
  await eventually(() => running.server._native.stats().connections === 0, 'no connection')
  await running.stop()
}

for (const transport of ways) {
  oursTest(
    `close under ${SOCKETS} live sockets gives every descriptor back (${transport})`,
    { skip, timeout: 180000 },
    async () => {
      await closeUnder(transport, 100)
      const base = descriptors()
      for (let round = 0; round < 5; round++) {
        await closeUnder(transport, SOCKETS)
        await eventually(() => descriptors() <= base, `${base} descriptors`, 10000).catch(() => {})
        assert.ok(descriptors() <= base, `${descriptors()} descriptors, ${base} before`)
      }
    },
  )

  oursTest(
    `clients which come and go give their descriptors back (${transport})`,
    { skip, timeout: 60000 },
    async () => {
      const running = await startServer(transportOption(transport))
      await running.assertServes()
      await running.untilEmpty()
      await eventually(() => running.server._native.stats().connections === 0)
      const base = descriptors()
      for (let n = 0; n < 300; n++) {
        const client = await running.raw()
        if (n % 2) client.destroy()
        else client.sendClose(1000)
        await client.untilEnded()
      }
      await running.untilEmpty()
      await eventually(() => descriptors() <= base + 2, 'as few descriptors as before').catch(
        () => {},
      )
      assert.ok(descriptors() <= base + 2, `${descriptors()} descriptors, ${base} before`)
      await running.stop()
    },
  )

  oursTest(
    `a server without free descriptors lives and serves again (${transport})`,
    { skip, timeout: 60000 },
    async () => {
      const limit = 64 + 4 * os.availableParallelism()
      const script = path.join(__dirname, 'scripts', 'serve.js')
      const command = `ulimit -n ${limit}; exec "$0" "$@"`
      const child = spawn('bash', ['-c', command, process.execPath, script, transport], {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      })
      const exited = once(child, 'exit', 60000)
      exited.catch(() => {})
      const { port } = await once(child, 'message')
      const crowd = []
      try {
        for (let n = 0; n < limit * 2; n++) {
          const client = new RawClient({ port })
          crowd.push(client)
          await within(client.connectTcp(), 'TCP connection')
          client.write(client.upgradeRequest())
        }
        await eventually(
          () => crowd.filter(({ status, ended }) => status === 101 || ended).length > 10,
          'answers to the first clients',
        )
        assert.ok(crowd.filter(({ status }) => status === 101).length < limit)
        for (const client of crowd) client.destroy()
        await eventually(() => serves(port), 'served client after the crowd', 15000)
        assert.equal(child.exitCode, null)
        assert.equal(child.signalCode, null)
      } finally {
        for (const client of crowd) client.destroy()
        child.kill('SIGKILL')
        await exited
      }
    },
  )
}

async function serves(port) {
  const client = new RawClient({ port })
  try {
    await client.open()
    if (client.status !== 101) return false
    await client.handshake()
    return (await client.invoke('echo', 1, 1000)).data === 1
  } catch {
    return false
  } finally {
    client.destroy()
  }
}
