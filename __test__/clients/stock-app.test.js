'use strict'

const assert = require('node:assert/strict')
const { execFileSync, spawn } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { test } = require('node:test')
const socketClusterClient = require('socketcluster-client')
const { needsTool, once, record, startServer, transports, within } = require('../support')

const ROOT = path.join(__dirname, '..', '..')
const APP = path.join(ROOT, 'examples', 'socketcluster-app')
const SUBJECT = process.env.SUBJECT
const NAME = SUBJECT || 'es-networkcluster'
const FOLDER = path.join(os.tmpdir(), `es-networkcluster-stock-app-${NAME}`)
const MESSAGES = Array.from({ length: 200 }, (_, n) => `message ${n}`)

/** Copies the app to a folder of its own and installs what it needs; false, or why it cannot. */
function missing() {
  const manifest = JSON.parse(fs.readFileSync(path.join(APP, 'package.json'), 'utf8'))
  delete manifest.dependencies['es-networkcluster']
  const text = JSON.stringify(manifest)
  const target = path.join(FOLDER, 'package.json')
  const installed = fs.existsSync(path.join(FOLDER, 'node_modules', 'express'))
  try {
    fs.mkdirSync(FOLDER, { recursive: true })
    if (!installed || fs.readFileSync(target, 'utf8') !== text) {
      fs.writeFileSync(target, text)
      const args = ['install', '--no-audit', '--no-fund', '--no-package-lock']
      execFileSync('npm', args, { cwd: FOLDER, stdio: 'pipe', timeout: 120000 })
      fs.writeFileSync(target, text)
    }
  } catch (error) {
    return needsTool(false, `The sample app needs npm and its packages: ${error.message}`)
  }
  fs.cpSync(path.join(APP, 'server.js'), path.join(FOLDER, 'server.js'))
  fs.mkdirSync(path.join(FOLDER, 'public'), { recursive: true })
  const link = path.join(FOLDER, 'node_modules', 'es-networkcluster')
  fs.rmSync(link, { force: true, recursive: true })
  fs.symlinkSync(SUBJECT ? path.join(ROOT, 'node_modules', SUBJECT) : ROOT, link, 'junction')
  return false
}

const skip = missing()

/** Starts the app as a process; resolves when it listens. */
async function startApp(transport, env = {}) {
  const child = spawn(
    process.execPath,
    ['--require', path.join(__dirname, 'stock-app', 'report-port.js'), 'server.js'],
    {
      cwd: FOLDER,
      env: {
        ...process.env,
        SOCKETCLUSTER_PORT: '0',
        ENV: 'prod',
        SOCKETCLUSTER_OPTIONS: JSON.stringify(transport === 'default' ? {} : { transport }),
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    },
  )
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => (output += part))
  const ended = new Promise((resolve) => child.on('exit', resolve))
  const early = ended.then((code) => {
    throw new Error(`The app ended with ${code}: ${output}`)
  })
  early.catch(() => {})
  const told = new Promise((resolve) => child.once('message', resolve))
  const { port } = await within(Promise.race([told, early]), 'listening app', 15000)
  const stop = () => {
    child.kill('SIGKILL')
    return ended
  }
  return { port, stop, output: () => output }
}

async function connect(port) {
  const client = socketClusterClient.create({ hostname: '127.0.0.1', port, autoReconnect: false })
  await once(client, 'connect')
  return client
}

/** Publishes all messages with one client and resolves with what the other got. */
async function deliver(publisher, channel) {
  const received = (async () => {
    const list = []
    for await (const data of channel) if (list.push(data) === MESSAGES.length) return list
  })()
  for (const message of MESSAGES) publisher.transmitPublish('order', message)
  return within(received, `${MESSAGES.length} messages`, 10000)
}

for (const transport of transports) {
  test(
    `the stock app serves pages and messages (${transport})`,
    { skip, timeout: 60000 },
    async () => {
      const app = await startApp(transport)
      const clients = []
      try {
        const health = await fetch(`http://127.0.0.1:${app.port}/health-check`)
        assert.equal(health.status, 200)
        assert.equal(await health.text(), 'OK')
        clients.push(await connect(app.port), await connect(app.port))
        const channel = clients[0].subscribe('order')
        await once(channel, 'subscribe')
        assert.deepEqual(await deliver(clients[1], channel), MESSAGES)
        await assert.rejects(clients[0].invoke('nothing', 1, { ackTimeout: 100 }), {
          name: 'TimeoutError',
        })
        assert.doesNotMatch(app.output(), /Error/)
      } finally {
        for (const client of clients) client.disconnect()
        await app.stop()
      }
    },
  )

  test(
    `two stock apps share messages through scc-broker-client (${transport})`,
    { skip, timeout: 60000 },
    async () => {
      const broker = await startServer()
      const state = await startServer()
      state.procedure('sccWorkerJoinCluster', (request) => {
        const sccBrokerURIs = [`ws://127.0.0.1:${broker.port}`]
        request.end({ sccBrokerURIs, sccWorkerURIs: [], time: 1 })
      })
      const env = { SCC_STATE_SERVER_HOST: '127.0.0.1', SCC_STATE_SERVER_PORT: `${state.port}` }
      const subscriptions = record(broker.server, 'subscription')
      const links = record(broker.server, 'connection')
      const apps = []
      const clients = []
      try {
        apps.push(await startApp(transport, env), await startApp(transport, env))
        await links.count(2, 15000)
        for (const app of apps) clients.push(await connect(app.port))
        const channel = clients[0].subscribe('order')
        await once(channel, 'subscribe')
        await subscriptions.until((list) => list.some((each) => each.channel === 'order'))
        assert.deepEqual(await deliver(clients[1], channel), MESSAGES)
      } finally {
        for (const client of clients) client.disconnect()
        for (const app of apps) await app.stop()
        await broker.stop()
        await state.stop()
      }
    },
  )
}
