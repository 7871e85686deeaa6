'use strict'

const assert = require('node:assert/strict')
const { execFileSync, spawn } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { test } = require('node:test')
const jsonwebtoken = require('jsonwebtoken')
const { AUTH_KEY, forEachTransport, needsTool, record } = require('../support')
const { eventually, startServer, transportOption } = require('../support')

const PACKAGES = ['socketclusterclient==1.3.6', 'websocket-client==0.48.0', 'six']
const CACHE = path.join(os.tmpdir(), 'es-networkcluster-python-client-1.3.6')
const PYTHON = process.env.PYTHON || 'python3'

/** Why the Python client cannot run here, or false. */
function missing() {
  const importable = () => {
    const env = { ...process.env, PYTHONPATH: CACHE }
    execFileSync(PYTHON, ['-c', 'import socketclusterclient, websocket'], { env, stdio: 'pipe' })
  }
  try {
    importable()
    return needsTool(true)
  } catch {
    fs.rmSync(CACHE, { recursive: true, force: true })
  }
  try {
    const install = ['-m', 'pip', 'install', '-q', '--target', CACHE, ...PACKAGES]
    execFileSync(PYTHON, install, { stdio: 'pipe', timeout: 120000 })
    importable()
    return needsTool(true)
  } catch (error) {
    return needsTool(false, `The Python client needs python3 with pip: ${error.message}`)
  }
}

const skip = missing()

/** Runs python/client.py against a server; resolves with its lines, parsed, as they come. */
function pythonClient(port, token) {
  const script = path.join(__dirname, 'python', 'client.py')
  const url = `ws://127.0.0.1:${port}/socketcluster/`
  const child = spawn(PYTHON, ['-u', script, url, token], {
    env: { ...process.env, PYTHONPATH: CACHE },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const lines = []
  let rest = ''
  let errors = ''
  child.stdout.on('data', (part) => {
    const parts = (rest + part).split('\n')
    rest = parts.pop()
    for (const line of parts) if (line.startsWith('{')) lines.push(JSON.parse(line))
  })
  child.stderr.on('data', (part) => (errors += part))
  const said = (name) => lines.find((line) => line.step === name)
  const heard = (name) =>
    eventually(() => said(name), `step '${name}' of the Python client`, 10000).catch((error) => {
      throw new Error(`${error.message}\n${JSON.stringify(lines)}\n${errors.slice(-1000)}`)
    })
  const stop = () => {
    const ended = new Promise((resolve) => child.on('exit', resolve))
    if (child.exitCode === null) child.kill('SIGKILL')
    else return null
    return ended
  }
  return { heard, stop }
}

forEachTransport((transport) => {
  test(
    `the Python client works with the server (${transport})`,
    { skip, timeout: 60000 },
    async () => {
      const options = { pingInterval: 100, pingTimeout: 1000, ...transportOption(transport) }
      const running = await startServer(options)
      running.procedure('double', (request) => request.end(request.data * 2))
      const publications = record(running.server.brokerEngine, 'publish')
      const python = pythonClient(running.port, jsonwebtoken.sign({ user: 'ann' }, AUTH_KEY))
      try {
        await python.heard('connected')
        await eventually(() => Object.keys(running.server.clients).length === 1, 'open socket')
        const [socket] = Object.values(running.server.clients)
        await eventually(() => socket.authState === 'authenticated', 'authenticated socket')
        assert.equal(socket.authToken.user, 'ann')
        assert.equal((await python.heard('answer')).value, 42)
        await python.heard('subscribed')
        assert.equal(socket.isSubscribed('from-server'), true)
        await running.server.exchange.invokePublish('from-server', { n: 1, text: 'grüße' })
        assert.deepEqual((await python.heard('publication')).value, { n: 1, text: 'grüße' })
        await publications.until((list) => list.some(({ channel }) => channel === 'from-python'))
        const own = publications.find(({ channel }) => channel === 'from-python')
        assert.deepEqual(own.data, { hello: [1, 2] })
        const messages = record(socket, 'message')
        await messages.until((list) => list.filter(({ message }) => message === '').length >= 4)
        assert.equal(socket.state, 'open')
      } finally {
        await python.stop()
        await running.stop()
      }
    },
  )
})
