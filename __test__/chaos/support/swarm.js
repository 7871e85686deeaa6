'use strict'

const { fork } = require('node:child_process')
const path = require('node:path')
const { eventually } = require('../../support/events')

/** Clients per process. */
const MOST = 2500

/** Many clients in processes of their own. */
class Swarm {
  /**
   * @param {number} port
   * @param {number} count
   * @param {number} channels
   */
  constructor(port, count, channels) {
    this.count = count
    this._id = 0
    this._calls = new Map()
    this._children = []
    for (let first = 0; first < count; first += MOST) {
      const argument = { port, first, count: Math.min(MOST, count - first), channels }
      const child = fork(path.join(__dirname, 'swarm-script.js'), [JSON.stringify(argument)])
      child.on('message', ({ id, value }) => this._calls.get(id)(value))
      this._children.push(child)
    }
  }

  connect() {
    return this._all('connect')
  }

  /** All connections are cut; resolves when all are back, within `spread` ms if the server keeps up. */
  storm(spread) {
    return this._all('storm', spread)
  }

  /** Waits until everybody has everything; resolves to the totals. */
  async totals(heads) {
    let totals
    const there = async () => {
      totals = sum(await this._all('report', heads))
      return totals.there === this.count
    }
    await eventually(there, 'everybody at the head', 20_000).catch((error) => {
      throw new Error(`${error.message}: ${JSON.stringify(totals)}`)
    })
    return totals
  }

  close() {
    for (const child of this._children) child.kill('SIGKILL')
  }

  _all(call, ...args) {
    return Promise.all(
      this._children.map((child) => {
        const id = this._id++
        child.send({ id, call, args })
        return new Promise((resolve) => this._calls.set(id, resolve))
      }),
    )
  }
}

function sum(reports) {
  const names = Object.keys(reports[0])
  return Object.fromEntries(
    names.map((name) => [name, reports.reduce((total, report) => total + report[name], 0)]),
  )
}

module.exports = { Swarm }
