'use strict'

const { spawn } = require('node:child_process')
const { once } = require('node:events')
const fs = require('node:fs')
const path = require('node:path')
const readline = require('node:readline')
const { expand, pinned } = require('./cpus')
const { loadgen } = require('./install')
const { command, peers } = require('./peers')
const { scenarios } = require('./scenarios')
const { machineCpu, usage } = require('./usage')

/** Milliseconds that one run may take at most, and the start of a server. */
const PATIENCE = 120_000
const START_PATIENCE = 20_000

/** Where servers store; beside the sources, since the system's folder may be in memory. */
const STORAGE = path.join(__dirname, 'data')

/** Starts a peer; resolves when it serves. */
async function startServer(peer, scenario, place, storage) {
  const { executable, args } = pinned(place, place.servers, command(peer))
  const echo = scenario.verb === 'rpc' ? { ECHO: '1' } : {}
  const keep = scenario.keep ? { KEEP: JSON.stringify(scenario.keep) } : {}
  const env = { ...process.env, ...peer.env, ...echo, ...keep, STORAGE: storage }
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
  // Not SIGKILL: who has started another process takes it with it.
  child.kill('SIGTERM')
  await once(child, 'exit')
}

/** Calls `use` with a new folder, which does not outlive it. */
async function withStorage(use) {
  fs.mkdirSync(STORAGE, { recursive: true })
  const storage = fs.mkdtempSync(path.join(STORAGE, 'run-'))
  try {
    return await use(storage)
  } finally {
    fs.rmSync(storage, { recursive: true, force: true })
  }
}

/** Starts the load generator for a server. */
function startGenerator(port, peer, scenario, settings, place) {
  const threads = Math.min(4, expand(place.clients).length)
  const kept = scenario.verb === 'pubsub' && peer.kept ? { kept: 1 } : {}
  const given = { seconds: settings.seconds, threads, ...scenario.load, ...kept }
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

/** Figures of messages replayed to one client after the other. */
function figuresOfReplay({ result, marks }) {
  const { count, messages, span, wait, busiest, cores } = result
  return {
    perSecond: messages / span,
    cpuPerMillion: ((marks.end.cpu - marks.start.cpu) / count) * 1e6,
    wait: wait * 1000,
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

const FIGURES = { idle: figuresOfIdle, replay: figuresOfReplay }

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
  return withStorage((storage) => run(scenarioName, peerName, settings, place, storage))
}

async function run(scenarioName, peerName, settings, place, storage) {
  const [scenario, peer] = [scenarios[scenarioName], peers[peerName]]
  const { child, port } = await startServer(peer, scenario, place, storage)
  const generator = startGenerator(port, peer, scenario, settings, place)
  const timer = setTimeout(() => generator.kill('SIGKILL'), PATIENCE)
  try {
    const seen = await follow(generator, child)
    return {
      scenario: scenarioName,
      peer: peerName,
      figures: (FIGURES[scenario.verb] ?? figuresOfLoad)(seen),
      faults: Object.fromEntries(FAULTS.map((fault) => [fault, seen.result[fault] ?? 0])),
    }
  } finally {
    clearTimeout(timer)
    await stop(generator)
    await stop(child)
  }
}

module.exports = { measure }
