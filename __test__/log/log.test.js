'use strict'

const assert = require('node:assert/strict')
const { execFile } = require('node:child_process')
const fs = require('node:fs')
const http = require('node:http')
const os = require('node:os')
const path = require('node:path')
const { oursTest } = require('../support')

const root = path.join(__dirname, '..', '..')
const { bin } = require(path.join(root, 'package.json'))
const command = path.join(root, bin['es-networkcluster'])

/** @returns {Promise<{ code: number, out: string, err: string }>} */
function log(...args) {
  return new Promise((resolve) => {
    execFile(process.execPath, [command, ...args], (error, out, err) => {
      resolve({ code: error ? Number(error.code) : 0, out, err })
    })
  })
}

async function logJson(...args) {
  const { code, out } = await log('log', ...args, '--json')
  return {
    code,
    lines: out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  }
}

function directory(t) {
  const parent = fs.mkdtempSync(path.join(os.tmpdir(), 'es-networkcluster-'))
  t.after(() => fs.rmSync(parent, { recursive: true, force: true }))
  return path.join(parent, 'log')
}

async function withServer(directory, act) {
  const { attach } = require('../..')
  const httpServer = http.createServer()
  const streams = [{ match: '*', class: 'durable' }]
  const server = attach(httpServer, { streams, storage: { directory } })
  try {
    return await act(server)
  } finally {
    await server.close()
    httpServer.close()
  }
}

async function fill(server) {
  for (let i = 0; i < 10; i++) await server.exchange.invokePublish('orders', { number: `no ${i}` })
}

const history = (server) => server.exchange.history('orders')

/** Changes one byte of the first place in the log where the text stands; returns the file. */
function damage(directory, text) {
  for (const name of fs.readdirSync(directory)) {
    const file = path.join(directory, name)
    const bytes = fs.readFileSync(file)
    const at = bytes.indexOf(text)
    if (at < 0) continue
    bytes[at] ^= 1
    fs.writeFileSync(file, bytes)
    return file
  }
  throw new Error(`${text} is not in the log`)
}

oursTest('a log without damage is shown and left alone', async (t) => {
  const place = directory(t)
  await withServer(place, fill)
  const verified = await logJson('verify', place)
  assert.equal(verified.code, 0)
  const survey = verified.lines[0]
  assert.deepEqual([survey.closed, survey.damage, survey.lost], [true, [], []])
  assert.match((await log('log', 'verify', place)).out, /^1 file, .*\nNo damage\.\n$/)

  const inspected = await logJson('inspect', place)
  assert.equal(inspected.code, 0)
  assert.deepEqual(inspected.lines.pop(), survey)
  assert.equal(inspected.lines.length, survey.records)
  const messages = inspected.lines.filter(({ kind }) => kind === 'message')
  assert.deepEqual(
    messages.map(({ channel, position, data }) => [channel, position, data]),
    Array.from({ length: 10 }, (_, i) => ['orders', i + 1, `{"number":"no ${i}"}`]),
  )
  assert.match((await log('log', 'inspect', place)).out, /Z message "orders" 10 17 bytes\n/)

  const before = fs.readdirSync(place)
  const repaired = await log('log', 'repair', place)
  assert.deepEqual([repaired.code, repaired.out], [0, 'No damage; nothing was changed.\n'])
  assert.deepEqual(fs.readdirSync(place), before)
})

oursTest('damage keeps a server from starting until it is repaired', async (t) => {
  const place = directory(t)
  await withServer(place, fill)
  const file = damage(place, 'no 4')
  await assert.rejects(
    withServer(place, history),
    (error) => error.code === 'ERR_STORAGE_CORRUPT' && error.message.includes(file),
  )
  const verified = await logJson('verify', place)
  assert.equal(verified.code, 1)
  const { damage: found, lost } = verified.lines[0]
  assert.deepEqual([found.length, found[0].file, lost.length], [1, file, 1])
  const shown = await log('log', 'verify', place)
  assert.equal(shown.code, 1)
  assert.match(shown.out, /damage: .*, batch \d+: .*\nlost: shard \d+, record \d+\nDamaged\. npx /)
  assert.equal((await log('log', 'inspect', place)).code, 1)

  const repaired = await logJson('repair', place)
  assert.equal(repaired.code, 0)
  const copy = `${file}.damaged`
  assert.deepEqual(repaired.lines, [{ dropped: found, lost, channels: ['orders'], copies: [copy] }])
  assert.ok(fs.existsSync(copy))
  assert.equal((await log('log', 'verify', place)).code, 0)
  const { messages, offset } = await withServer(place, history)
  assert.equal(offset, 10)
  assert.deepEqual(
    messages.map(({ data }) => data.number),
    ['no 5', 'no 6', 'no 7', 'no 8', 'no 9'],
  )
})

oursTest('a log in use, none, or wrong arguments are errors', async (t) => {
  const place = directory(t)
  await withServer(place, async () => {
    const { code, err } = await log('log', 'verify', place)
    assert.equal(code, 2)
    assert.match(err, /^ERR_STORAGE_LOCKED: /)
  })
  const empty = path.dirname(place)
  assert.match((await log('log', 'verify', empty)).err, /there is no log in it/)
  assert.deepEqual(fs.readdirSync(empty), ['log'])
  const wrong = [
    [],
    ['log'],
    ['log', 'verify'],
    ['log', 'constructor', place],
    ['log', 'verify', place, place],
    ['log', 'verify', '--all'],
  ]
  for (const args of wrong) {
    const { code, err } = await log(...args)
    assert.equal(code, 2)
    assert.match(err, /^Usage: /)
  }
  assert.match((await log('--help')).out, /^Usage: /)
})
