'use strict'

// A log whose files are cut or changed: what a crash can leave is cut off, anything else keeps the
// server from starting until somebody has said that it may be dropped.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { chaosTest, withDirectory } = require('./support/chaos-test')
const { LightClient } = require('./support/light-client')
const { Log, reader } = require('./support/log')
const { Random } = require('./support/random')
const { ServerProcess } = require('./support/server-process')

const CLI = path.join(__dirname, '../../bin/es-networkcluster.js')
const FLIPS = Number(process.env.ES_NETWORKCLUSTER_CHAOS_FLIPS) || 4
const CHANNEL = 'durable/a'
/** More than a segment of 64 MiB holds. */
const BYTES = 70 << 20
const AT_ONCE = 64
const PAYLOAD = 'x'.repeat(30_000)

const options = (directory) => ({
  streams: [{ match: 'durable/*', class: 'durable', size: 1_000_000, bytes: 1 << 30 }],
  streamMemory: 1 << 30,
  storage: { directory },
})

/** Fills a log; resolves to what it holds. */
async function write(directory, random) {
  const server = await new ServerProcess(options(directory)).start()
  try {
    const client = await reader(new LightClient(server.port), [CHANNEL])
    let bytes = 0
    const work = async () => {
      while (bytes < BYTES) {
        const data = PAYLOAD.slice(0, random.between(10, PAYLOAD.length)) + bytes
        bytes += data.length
        await client.call('#publish', { channel: CHANNEL, data })
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
    return await new Log(CHANNEL).read(client)
  } finally {
    await server.kill()
  }
}

/** Starts a server on a folder; resolves to what it has, or to why it does not start. */
async function read(directory) {
  const server = new ServerProcess(options(directory))
  try {
    await server.start()
  } catch (error) {
    return { error }
  }
  try {
    const client = await reader(new LightClient(server.port), [CHANNEL])
    const log = await new Log(CHANNEL).read(client)
    const { epoch, offset } = await client.call('#publish', { channel: CHANNEL, data: 'more' })
    assert.deepEqual({ epoch, offset }, { epoch: log.epoch, offset: log.head + 1 })
    return { log }
  } finally {
    await server.kill()
  }
}

/** The segments of a log, oldest first, each with where what was written to it ends. */
function segments(directory) {
  const names = fs.readdirSync(directory).filter((name) => name.endsWith('.log'))
  return names.sort().map((name) => {
    const file = path.join(directory, name)
    const bytes = fs.readFileSync(file)
    let end = bytes.length
    while (end > 0 && bytes[end - 1] === 0) end--
    return { file, end }
  })
}

function flip({ file }, at, bit) {
  const handle = fs.openSync(file, 'r+')
  try {
    const byte = Buffer.alloc(1)
    fs.readSync(handle, byte, 0, 1, at)
    byte[0] ^= 1 << bit
    fs.writeSync(handle, byte, 0, 1, at)
  } finally {
    fs.closeSync(handle)
  }
}

/** Calls `use` with a copy of the log. */
function withCopy(directory, use) {
  return withDirectory(async (copy) => {
    fs.cpSync(directory, copy, { recursive: true })
    return use(copy, segments(copy))
  })
}

function assertPrefix(log, whole) {
  assert.equal(log.epoch, whole.epoch)
  assert.deepEqual(log.violations, [])
  assert.ok(log.head <= whole.head)
  assert.deepEqual(log.data, whole.data.slice(0, log.data.length))
}

/** It names the file, and a place in it at or before the damage. */
function assertRefused(error, file, at) {
  assert.equal(error.code, 'ERR_STORAGE_CORRUPT', error.message)
  assert.ok(error.message.includes(path.basename(file)), error.message)
  const place = /byte (\d+)/.exec(error.message)
  assert.ok(place && Number(place[1]) <= at, `${at}: ${error.message}`)
  assert.match(error.message, /log repair/)
}

/** After a repair it starts, and nothing in it is another message than before. */
async function assertRepaired(directory, whole) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [CLI, 'log', 'repair', directory],
    {
      encoding: 'utf8',
    },
  )
  assert.equal(status, 0, stderr)
  assert.notEqual(stdout.trim(), '')
  const { log, error } = await read(directory)
  assert.equal(error, undefined)
  const known = new Set(whole.data)
  for (const data of log.data) assert.ok(data === undefined || known.has(data))
  if (log.epoch === whole.epoch) {
    log.data.forEach((data, offset) => assert.equal(data, whole.data[offset]))
  }
  return `${stdout.trim().split('\n')[0]}; ${log.head - whole.head} in the log`
}

async function checkTorn(whole, directory, random) {
  await withCopy(directory, async (copy, files) => {
    const newest = files.at(-1)
    fs.truncateSync(newest.file, random.between(newest.end >> 1, newest.end - 1))
    const { log, error } = await read(copy)
    assert.equal(error, undefined)
    assertPrefix(log, whole)
    assert.ok(log.head < whole.head)
  })
}

async function checkCutEarly(whole, directory, random, t) {
  await withCopy(directory, async (copy, [oldest]) => {
    const at = random.between(1000, oldest.end - 1000)
    fs.truncateSync(oldest.file, at)
    const { error } = await read(copy)
    assertRefused(error, oldest.file, at)
    t.diagnostic(await assertRepaired(copy, whole))
  })
}

/** The last frame of the newest file may be what a crash has left; damage to anything else is refused. */
async function checkFlip(whole, directory, random, t) {
  await withCopy(directory, async (copy, files) => {
    const segment = files[random.between(0, files.length - 1)]
    const at = random.between(0, segment.end - 1)
    flip(segment, at, random.between(0, 7))
    const { log, error } = await read(copy)
    t.diagnostic(
      `${path.basename(segment.file)} at ${at} of ${segment.end}: ${error?.code ?? 'starts'}`,
    )
    if (log) {
      assert.equal(segment, files.at(-1), 'the damage was passed over')
      assertPrefix(log, whole)
      return
    }
    assertRefused(error, segment.file, at)
    t.diagnostic(await assertRepaired(copy, whole))
  })
}

chaosTest('a damaged log', async (t) => {
  const random = new Random()
  t.diagnostic(`seed ${random.seed}`)
  await withDirectory(async (directory) => {
    const whole = await write(directory, random)
    const { log, error } = await read(directory)
    assert.equal(error, undefined)
    assert.deepEqual(log.data, whole.data)
    const after = { ...whole, head: whole.head + 1, data: [...whole.data, 'more'] }
    assert.ok(segments(directory).length > 1)
    await checkTorn(after, directory, random)
    await checkCutEarly(after, directory, random, t)
    for (let n = 0; n < FLIPS; n++) await checkFlip(after, directory, random, t)
  })
})
