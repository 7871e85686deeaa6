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
const CHANNELS = Array.from({ length: 8 }, (_, n) => `durable/${n}`)
/** What is written in each life of the server; each begins a file. */
const BYTES = 3 << 20
const LIVES = 3
const AT_ONCE = 64
/** Bytes of a file before its first frame: they are there from the beginning. */
const HEADER = 64
/** Bytes of a frame before what it holds. */
const FRAME = 24
const PAYLOAD = 'x'.repeat(30_000)

const options = (directory) => ({
  streams: [{ match: 'durable/*', class: 'durable', size: 1_000_000, bytes: 1 << 30 }],
  streamMemory: 1 << 30,
  storage: { directory },
})

/** Fills a log; resolves to what it holds. */
async function write(directory, random) {
  const server = new ServerProcess(options(directory))
  try {
    for (let life = 1; ; life++) {
      await server.start()
      const client = await reader(new LightClient(server.port), CHANNELS)
      let bytes = 0
      const work = async () => {
        while (bytes < BYTES) {
          const data = `${life}:${bytes}:${PAYLOAD.slice(0, random.between(10, PAYLOAD.length))}`
          bytes += data.length
          await client.call('#publish', { channel: CHANNELS[bytes % CHANNELS.length], data })
        }
      }
      await Promise.all(Array.from({ length: AT_ONCE }, work))
      if (life === LIVES) return await readLogs(client)
      await server.kill()
    }
  } finally {
    await server.kill()
  }
}

function readLogs(client) {
  return Promise.all(CHANNELS.map((channel) => new Log(channel).read(client)))
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
    const client = await reader(new LightClient(server.port), CHANNELS)
    const logs = await readLogs(client)
    for (const { channel, epoch, head } of logs) {
      const answer = await client.call('#publish', { channel, data: 'more' })
      assert.deepEqual({ ...answer }, { epoch, offset: head + 1 })
    }
    return { logs }
  } finally {
    await server.kill()
  }
}

/**
 * The segments of a log, oldest first, each with where its last frame begins and ends. Bytes 4 to 8
 * of a frame are the length of what it holds.
 */
function segments(directory) {
  const names = fs.readdirSync(directory).filter((name) => name.endsWith('.log'))
  return names.sort().map((name) => {
    const file = path.join(directory, name)
    const bytes = fs.readFileSync(file)
    let [last, end] = [HEADER, HEADER]
    while (end + FRAME <= bytes.length && bytes.readUInt32LE(end) !== 0) {
      last = end
      end += FRAME + bytes.readUInt32LE(end + 4)
    }
    return { file, last, end }
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

/** Each channel has what it had, or the beginning of it; resolves to how many messages are missing. */
function assertPrefix(logs, whole) {
  const missing = logs.map((log, n) => {
    assert.equal(log.epoch, whole[n].epoch)
    assert.deepEqual(log.violations, [])
    assert.ok(log.head <= whole[n].head)
    log.data.forEach((data, offset) => assert.equal(data, whole[n].data[offset]))
    return whole[n].head - log.head
  })
  return missing.reduce((sum, each) => sum + each, 0)
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
  const { logs, error } = await read(directory)
  assert.equal(error, undefined)
  const known = new Set(whole.flatMap(({ data }) => data))
  for (const { data, epoch } of logs) {
    data.forEach((each) => assert.ok(known.has(each)))
    const same = whole.find((other) => other.epoch === epoch)
    if (same) data.forEach((each, offset) => assert.equal(each, same.data[offset]))
  }
  return stdout.split(/\n|, batch/)[0]
}

async function checkTorn(whole, directory, random) {
  await withCopy(directory, async (copy, files) => {
    const newest = files.at(-1)
    fs.truncateSync(newest.file, random.between(newest.last, newest.end - 1))
    const { logs, error } = await read(copy)
    assert.equal(error, undefined)
    assert.ok(assertPrefix(logs, whole) > 0)
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

/**
 * One bit of a file is another one, at the place that `choose` takes. The last frame of the newest
 * file may be what a crash has left; damage to anything else is refused.
 */
async function checkFlip(whole, directory, random, t, choose) {
  await withCopy(directory, async (copy, files) => {
    const { segment, at } = choose(files)
    flip(segment, at, random.between(0, 7))
    const { logs, error } = await read(copy)
    const outcome = error?.code ?? `${assertPrefix(logs, whole)} messages fewer`
    t.diagnostic(`${path.basename(segment.file)} at ${at} of ${segment.end}: ${outcome}`)
    if (segment === files.at(-1) && at >= segment.last) {
      assert.equal(error, undefined, 'a crash may have left that')
      return
    }
    assertRefused(error, segment.file, at)
    t.diagnostic(await assertRepaired(copy, whole))
  })
}

/** Which byte of a log is changed. */
const places = (random) => ({
  header: ([segment]) => ({ segment, at: random.between(0, HEADER - 1) }),
  last: (files) => {
    const segment = files.at(-1)
    return { segment, at: random.between(segment.last + FRAME, segment.end - 1) }
  },
  any: (files) => {
    const segment = files[random.between(0, files.length - 1)]
    return { segment, at: random.between(0, segment.end - 1) }
  },
})

chaosTest('a damaged log', async (t) => {
  const random = new Random()
  t.diagnostic(`seed ${random.seed}`)
  await withDirectory(async (directory) => {
    const whole = await write(directory, random)
    await withCopy(directory, async (copy) => {
      const { logs, error } = await read(copy)
      assert.equal(error, undefined)
      assert.equal(assertPrefix(logs, whole), 0)
    })
    assert.ok(segments(directory).length > 1)
    await checkTorn(whole, directory, random)
    await checkCutEarly(whole, directory, random, t)
    const { header, last, any } = places(random)
    for (const choose of [header, last, ...Array(FLIPS).fill(any)]) {
      await checkFlip(whole, directory, random, t, choose)
    }
  })
})
