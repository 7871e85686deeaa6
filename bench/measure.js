'use strict'

const { spawn } = require('node:child_process')
const { once } = require('node:events')
const readline = require('node:readline')
const { expand, pinned } = require('./cpus')
const { loadgen } = require('./install')
const { command, peers } = require('./peers')
const { scenarios } = require('./scenarios')
const { machineCpu, usage } = require('./usage')

/** Milliseconds that one run may take at most. */
const PATIENCE = 120_000

/** Starts a peer; resolves when it serves. */
async function startServer(peer, scenario, place) {
  const { executable, args } = pinned(place, place.servers, command(peer))
  const env = { ...process.env, ...peer.env, ...(scenario.verb === 'rpc' ? { ECHO: '1' } : {}) }
  const stdio = ['ignore', 'ignore', 'inherit', 'ipc']
  const child = spawn(executable, args, { env, stdio })
  const failed = once(child, 'exit').then(() => Promise.reject(new Error('the server has ended')))
  const [{ port }] = await Promise.race([once(child, 'message'), failed])
  failed.catch(() => {})
  return { child, port }
}

async function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

/** Puts a server under load; resolves to the generator's result and what the server had used at
 * each mark. */
async function load(server, peer, scenario, settings, place) {
  const threads = Math.min(4, expand(place.clients).length)
  const given = { seconds: settings.seconds, threads, ...scenario.load }
  const options = Object.entries({ protocol: peer.protocol, port: server.port, ...given })
  const line = [loadgen, scenario.verb, ...options.flatMap(([name, value]) => [`--${name}`, value])]
  const { executable, args } = pinned(place, place.clients, line.map(String))
  const generator = spawn(executable, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  const closed = once(generator, 'close')
  const timer = setTimeout(() => generator.kill('SIGKILL'), PATIENCE)
  let complaint = ''
  generator.stderr.on('data', (data) => (complaint += data))

  const marks = {}
  let result = null
  for await (const text of readline.createInterface({ input: generator.stdout })) {
    if (text.startsWith('mark ')) {
      marks[text.slice(5)] = { ...(await usage(server.child)), machine: machineCpu() }
      generator.stdin.write('\n')
    } else {
      result = JSON.parse(text)
    }
  }
  await closed
  clearTimeout(timer)
  if (!result) throw new Error(complaint.trim() || 'the load generator took too long')
  return { result, marks }
}

/** Figures of a run of messages. */
function figuresOfLoad({ result, marks }) {
  const { count, seconds, p50, p99, p999, busiest, cores } = result
  const cpu = marks.end.cpu - marks.start.cpu
  const machine = marks.end.machine - marks.start.machine
  return {
    perSecond: count / seconds,
    cpuPerMillion: (cpu / count) * 1e6,
    p50: p50 / 1000,
    p99: p99 / 1000,
    p999: p999 / 1000,
    rss: marks.end.rss / 1e6,
    busiest,
    others: Math.max(0, (machine - cpu) / seconds - cores),
  }
}

/** Figures of a run of idle connections. */
function figuresOfIdle({ result, marks }) {
  const { connections, seconds } = result
  const { base, connected, subscribed } = marks
  return {
    perSecond: connections / seconds,
    cpuPerThousand: ((connected.cpu - base.cpu) / connections) * 1e3,
    kbConnected: (connected.rss - base.rss) / connections / 1e3,
    kbSubscribed: (subscribed.rss - base.rss) / connections / 1e3,
    rss: subscribed.rss / 1e6,
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
  const server = await startServer(peer, scenario, place)
  try {
    const seen = await load(server, peer, scenario, settings, place)
    return {
      scenario: scenarioName,
      peer: peerName,
      figures: scenario.verb === 'idle' ? figuresOfIdle(seen) : figuresOfLoad(seen),
      faults: Object.fromEntries(FAULTS.map((fault) => [fault, seen.result[fault] ?? 0])),
    }
  } finally {
    await stop(server.child)
  }
}

module.exports = { measure }
