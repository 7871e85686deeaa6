'use strict'

// Tasks run by several threads, or several processes, at once: see tasks.js.

const { fork } = require('node:child_process')
const { once } = require('node:events')
const net = require('node:net')
const path = require('node:path')
const { Worker } = require('node:worker_threads')

const FILE = path.join(__dirname, 'member.js')

/** A URL on which nobody listens. */
async function freeUrl(name = '') {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return `http://localhost:${port}/${name}`
}

/** One thread or process: says when it is ready, runs tasks, and ends. */
class Member {
  #port
  #end
  #answers = []
  #failure = null
  #ended

  constructor(port, end) {
    this.#port = port
    this.#end = end
    this.#ended = once(port, 'exit')
    port.on('message', (answer) => this.#answers.shift()?.(answer))
    const fail = (reason) => {
      this.#failure = reason
      for (const answer of this.#answers.splice(0)) answer({ failure: String(reason) })
    }
    port.on('error', fail)
    port.on('exit', (code) => fail(`ended with ${code}`))
  }

  get id() {
    return this.#port.pid ?? this.#port.threadId
  }

  /** @returns {Promise<any>} what the task returns */
  async run(task, params = {}) {
    if (this.#failure !== null) throw new Error(String(this.#failure))
    const answer = new Promise((resolve) => this.#answers.push(resolve))
    const message = { task, params }
    if (this.#port instanceof Worker) this.#port.postMessage(message)
    else this.#port.send(message)
    const { failure, result } = await answer
    if (failure !== undefined) throw new Error(`${task}: ${failure}`)
    return result
  }

  async end() {
    this.#end()
    await this.#ended
  }
}

/**
 * @param {{ url?: string, options?: object }} memory
 * @returns {Promise<Member>} ready
 */
async function thread(memory = {}) {
  const worker = new Worker(FILE, { workerData: memory })
  const member = new Member(worker, () => void worker.terminate())
  await member.run('ready')
  return member
}

/** As `thread`, a process. */
async function child(memory) {
  const child = fork(FILE, [JSON.stringify(memory)], { serialization: 'advanced' })
  const member = new Member(child, () => void child.kill('SIGKILL'))
  await member.run('ready')
  return member
}

/**
 * Runs a task in all members at once.
 * @param {{ run(task: string, params: object): Promise<any> }[]} members
 */
function together(members, task, params = {}) {
  return Promise.all(members.map((member, index) => member.run(task, { ...params, index })))
}

/** Ends members when the test does. */
async function crew(t, count, make) {
  const members = await Promise.all(Array.from({ length: count }, () => make()))
  t.after(() => Promise.all(members.map((member) => member.end())))
  return members
}

module.exports = { freeUrl, thread, child, together, crew }
