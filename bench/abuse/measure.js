'use strict'

const { fork } = require('node:child_process')
const { once } = require('node:events')
const fs = require('node:fs')
const path = require('node:path')
const { setTimeout: sleep } = require('node:timers/promises')
const { attacks } = require('./attacks')
const { sumOf } = require('./attacks/outcomes')

/** Milliseconds that one attack may take at most. */
const PATIENCE = 120_000
/** A server with more memory than this is stopped: the machine has others to serve. */
const MOST_MEMORY = 6e9
/** How often the server's memory is looked at, in ms; in between, the system itself keeps the peak. */
const LOOK = 200
/** A server gets so long to free what an attack has left, with so many collections, in ms. */
const GRACE = 3000
const COLLECTIONS = 4
/** How long the canary sings before the attack, in ms. */
const QUIET = 1000
/** How long it sings on: a short attack may be felt only after it. */
const AFTERMATH = 100

/**
 * @typedef {object} Report
 * @property {boolean} survived
 * @property {number} peak resident memory in MB
 * @property {number} after the same when the attackers have gone, and before the attack
 * @property {number} before
 * @property {number} wait longest wait of the canary in ms, and before the attack
 * @property {number} quiet
 * @property {number} seconds
 * @property {number} cpu seconds of the server
 * @property {import('./attacks').Outcome} outcome
 * @property {object} state the server's own counts
 */

/** A process of this folder; it ends with `stop`, or with this process. */
class Process {
  constructor(script, env, execArgv = []) {
    const stdio = ['ignore', 'ignore', 'inherit', 'ipc']
    const options = { env: { ...process.env, ...env }, execArgv, stdio }
    this.child = fork(path.join(__dirname, script), [], options)
    this.over = false
    this.exit = once(this.child, 'exit').then(() => (this.over = true))
    this.child.on('error', () => {})
  }

  /** The next message, or null if there will be none. */
  async told(patience = PATIENCE) {
    const stop = new AbortController()
    const message = once(this.child, 'message', { signal: stop.signal }).then(([it]) => it)
    const nothing = sleep(patience, null, { signal: stop.signal })
    const first = await Promise.race([message, nothing, this.exit.then(() => null)])
    for (const each of [message, nothing]) each.catch(() => {})
    stop.abort()
    return first
  }

  ask(patience) {
    if (this.over || !this.child.connected) return null
    const answer = this.told(patience)
    this.child.send('?')
    return answer
  }

  async stop() {
    if (this.over) return
    this.child.kill('SIGKILL')
    await this.exit
  }
}

/** Watches the memory of a process; ends one that takes too much. */
function watch(target) {
  const seen = { peak: 0 }
  const timer = setInterval(() => {
    seen.peak = Math.max(seen.peak, residentOf(target.child.pid))
    if (seen.peak > MOST_MEMORY) target.stop()
  }, LOOK)
  return { seen, stop: () => clearInterval(timer) }
}

/** Resident bytes of a process, where /proc tells. */
function residentOf(pid) {
  try {
    const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8')
    return Number(/^VmRSS:\s*(\d+)/m.exec(status)[1]) * 1024
  } catch {
    return 0
  }
}

/** Runs one attack against a new server. */
async function measure(name, moduleName) {
  const attack = attacks[name]
  const env = { MODULE: moduleName, APP: attack.app, OPTIONS: JSON.stringify(attack.options ?? {}) }
  if (attack.listen) env.LISTEN = '1'
  const running = []
  const start = (...args) => {
    running.push(new Process(...args))
    return running.at(-1)
  }
  const server = start('server.js', env, ['--expose-gc'])
  const watching = watch(server)
  try {
    const ready = await server.told()
    if (!ready) throw new Error('the server did not start')
    return await watchAttack(name, server, String(ready.port), watching, start)
  } finally {
    watching.stop()
    await Promise.all(running.map((each) => each.stop()))
  }
}

/** The server's figures when it has had time to tidy up. */
async function settled(server) {
  let figures = null
  for (let n = 0; n < COLLECTIONS; n++) {
    await sleep(GRACE / COLLECTIONS)
    figures = await server.ask()
  }
  return figures
}

async function watchAttack(name, server, port, watching, start) {
  const attack = attacks[name]
  const canary = start('canary.js', { PORT: port, BY: attack.app === 'full' ? 'echo' : 'publish' })
  await canary.told()
  const parts = attack.attackers ?? 1
  const attackers = Array.from({ length: parts }, (_, part) =>
    start('attacker.js', { ATTACK: name, PORT: port, PART: String(part), PARTS: String(parts) }),
  )
  await Promise.all(attackers.map((each) => each.told()))
  await canary.ask()
  await sleep(QUIET)
  const quiet = await canary.ask()
  const before = await server.ask()
  await canary.ask()
  const results = await Promise.all(attackers.map((each) => each.ask()))
  await sleep(AFTERMATH)
  const sung = await canary.ask()
  const state = await server.ask()
  await Promise.all(attackers.map((each) => each.stop()))
  const after = await settled(server)
  const survived = !server.over && after !== null && sung !== null && !sung.gone
  return {
    survived,
    peak: Math.max(state?.peak ?? 0, watching.seen.peak) / 1e6,
    before: before.rss / 1e6,
    after: (after?.rss ?? NaN) / 1e6,
    wait: sung?.worst ?? NaN,
    quiet: quiet.worst,
    seconds: Math.max(...results.map((result) => result?.seconds ?? NaN)),
    cpu: (state?.cpu ?? NaN) - before.cpu,
    outcome: sumOf(results.map((result) => result?.outcome ?? { 'no end': 1 })),
    state: state ?? {},
  }
}

module.exports = { measure }
