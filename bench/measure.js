'use strict'

const { spawn } = require('node:child_process')
const { once } = require('node:events')
const readline = require('node:readline')
const { expand, pinned } = require('./cpus')
const { loadgen } = require('./install')
const { command, peers } = require('./peers')
const { scenarios } = require('./scenarios')
const { machineCpu, usage } = require('./usage')

/** Milliseconds that one run may take at most, and the start of a server. */
const PATIENCE = 120_000
const START_PATIENCE = 20_000

/** Starts a peer; resolves when it serves. */
async function startServer(peer, scenario, place) {
  const { executable, args } = pinned(place, place.servers, command(peer))
  const env = { ...process.env, ...peer.env, ...(scenario.verb === 'rpc' ? { ECHO: '1' } : {}) }
  const stdio = ['ignore', 'ignore', 'inherit', 'ipc']
  const child = spawn(executable, args, { env, stdio })
  try {
    return { child, port: await portOf(child) }
  } catch (error) {
    await stop(child)
    throw error
  }
}

function portOf(child) {
  return new Promise((resolve, reject) => {
    const slow = () => reject(new Error('the server did not start in time'))
    const timer = setTimeout(slow, START_PATIENCE).unref()
    child.once('exit', () => reject(new Error('the server has ended')))
    child.once('error', reject)
    child.once('message', ({ port }) => {
      clearTimeout(timer)
      resolve(port)
    })
  })
}

async function stop(child) {
  const started = child.pid !== undefined
  if (!started || child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

/** Starts the load generator for a server. */
function startGenerator(port, peer, scenario, settings, place) {
  const threads = Math.min(4, expand(place.clients).length)
  const given = { seconds: settings.seconds, threads, ...scenario.load }
  const options = Object.entries({ protocol: peer.protocol, port, ...given })
  const line = [loadgen, scenario.verb, ...options.flatMap(([name, value]) => [`--${name}`, value])]
  const { executable, args } = pinned(place, place.clients, line.map(String))
  return spawn(executable, args, { stdio: ['pipe', 'pipe', 'pipe'] })
}

/** Resolves to the generator's result and what the server had used at each of its marks. */
async function follow(generator, server) {
  const marks = {}
  let result = null
  const closed = once(generator, 'close')
  let complaint = ''
  generator.stderr.on('data', (data) => (complaint += data))
  // What it says there tells more.
  generator.stdin.on('error', () => {})
  for await (const text of readline.createInterface({ input: generator.stdout })) {
    if (text.startsWith('mark ')) {
      const used = await usage(server)
      marks[text.slice(5)] = { ...used, machine: machineCpu(), at: performance.now() }
      generator.stdin.write('\n')
    } else {
      result = JSON.parse(text)
    }
  }
  await closed
  if (!result) throw new Error(complaint.trim() || 'the load generator took too long')
  return { result, marks }
}

/** CPUs that neither the server nor the load generator used between two marks. */
function others(from, to, cores) {
  const busy = to.machine - from.machine - (to.cpu - from.cpu)
  return Math.max(0, (busy / (to.at - from.at)) * 1000 - cores)
}

/** Figures of a run of messages. */
function figuresOfLoad({ result, marks }) {
  const { count, seconds, p50, p99, p999, busiest, cores } = result
  const cpu = marks.end.cpu - marks.start.cpu
  return {
    perSecond: count / seconds,
    cpuPerMillion: (cpu / count) * 1e6,
    p50: p50 / 1000,
    p99: p99 / 1000,
    p999: p999 / 1000,
    rss: marks.end.rss / 1e6,
    busiest,
    others: others(marks.start, marks.end, cores),
  }
}

/** Figures of a run of idle connections. */
function figuresOfIdle({ result, marks }) {
  const { connections, seconds, cores } = result
  const { base, connected, subscribed } = marks
  return {
    perSecond: connections / seconds,
    cpuPerThousand: ((connected.cpu - base.cpu) / connections) * 1e3,
    kbConnected: (connected.rss - base.rss) / connections / 1e3,
    kbSubscribed: (subscribed.rss - base.rss) / connections / 1e3,
    rss: subscribed.rss / 1e6,
    others: others(base, subscribed, cores),
  }
}

const FAULTS = ['lost', 'duplicated', 'reordered', 'strange', 'ended']

/**
 * Runs one scenario against one peer.
 *
 * @param {string} scenarioName
 * @param {string} peerName
 * @param {import('./args').Settings} settings
 * @param {{ pinned: boolean, servers: string, clients: string }} place
 * @returns {Promise<{ scenario: string, peer: string, figures: object, faults: object }>}
 */
async function measure(scenarioName, peerName, settings, place) {
  const [scenario, peer] = [scenarios[scenarioName], peers[peerName]]
  const { child, port } = await startServer(peer, scenario, place)
  const generator = startGenerator(port, peer, scenario, settings, place)
  const timer = setTimeout(() => generator.kill('SIGKILL'), PATIENCE)
  try {
    const seen = await follow(generator, child)
    return {
      scenario: scenarioName,
      peer: peerName,
      figures: scenario.verb === 'idle' ? figuresOfIdle(seen) : figuresOfLoad(seen),
      faults: Object.fromEntries(FAULTS.map((fault) => [fault, seen.result[fault] ?? 0])),
    }
  } finally {
    clearTimeout(timer)
    await stop(generator)
    await stop(child)
  }
}

module.exports = { measure }
