'use strict'

// Pull scaling: the workers a manager makes itself, how many there are, and what becomes of lost ones.

const { randomUUID } = require('node:crypto')
const { NetworkClusterError } = require('../core/network-cluster-error')

/** How long a worker may take to come online, in ms. */
const START_TIMEOUT = 60_000
/** So many workers in a row that never came online mean that none will. */
const GIVE_UP_AFTER = 5
/** A worker that lived less long makes the next one wait, in ms. */
const YOUNG = 1000
const LEAST_DELAY = 10
/** So long at most where workers do not even start, and where they do but end early. */
const MOST_DELAY = 2000
const MOST_DELAY_ONLINE = 200
/** The least idle workers of so many looks are too many. */
const LOOKS = 4

/**
 * @typedef {object} Handle a worker that was made
 * @property {() => void} terminate ends it; `exit` is called then too
 */

/**
 * @typedef {(worker: string, exit: (reason: string) => void) => Handle} Make
 *   starts a worker; `exit` is called once, when it is gone, with the reason
 */

/**
 * @typedef {object} CrewOptions
 * @property {number} min
 * @property {number} max
 * @property {number} idleTimeout ms
 * @property {Make} make
 * @property {(worker: string) => void} retire asks that the worker gets nothing more; see `retired()`
 * @property {(worker: string, reason: string) => void} lost told of every worker that is gone
 * @property {() => { idle: number, pending: number }} load
 * @property {(reason: string) => void} giveUp no worker comes online
 */

/**
 * @typedef {object} Member
 * @property {string} id
 * @property {Handle} handle
 * @property {'starting' | 'online' | 'retiring' | 'ending' | 'gone'} state
 * @property {number | undefined} online since when
 * @property {NodeJS.Timeout | undefined} starting
 * @property {string | undefined} reason why it was ended, if the manager did it
 * @property {boolean} overdue it was ended because it did not come online
 */

/** @param {string} reason */
const noWorkers = (reason) =>
  new NetworkClusterError('ERR_NC_NO_WORKERS', `no worker comes online: the last one ${reason}`)

class Crew {
  #options
  #min
  #max
  /** @type {Map<string, Member>} */
  #members = new Map()
  /** how many are gone too early, in a row */
  #early = 0
  /** how many never came online, in a row */
  #failed = 0
  /** @type {NodeJS.Timeout | undefined} */
  #later
  /** how many are to be made when `later` is over */
  #owed = 0
  /** @type {NodeJS.Timeout | undefined} */
  #looking
  #looks = 0
  #leastIdle = Infinity
  #closed = false
  /** @type {{ resolve: (value: undefined) => void, reject: (error: Error) => void }[]} */
  #watchers = []

  /** @param {CrewOptions} options */
  constructor(options) {
    this.#options = options
    this.#min = options.min
    this.#max = options.max
  }

  /** The most workers there may be. */
  get max() {
    return this.#max
  }

  /** How many there are that are not about to end. */
  get size() {
    let count = 0
    for (const { state } of this.#members.values()) {
      if (state === 'starting' || state === 'online') count += 1
    }
    return count
  }

  /** @param {string} worker */
  has(worker) {
    return this.#members.has(worker)
  }

  /** Makes the workers there must be at least. */
  start() {
    this.#make(this.#min - this.size)
  }

  /**
   * There is work for so many more.
   * @param {number} count
   */
  demand(count) {
    let starting = 0
    for (const { state } of this.#members.values()) if (state === 'starting') starting += 1
    this.#make(count - starting)
  }

  /** @param {string} worker */
  online(worker) {
    const member = this.#members.get(worker)
    if (member?.state !== 'starting') return
    clearTimeout(member.starting)
    member.state = 'online'
    member.online = performance.now()
    this.#failed = 0
    this.#changed()
  }

  /**
   * Ends a worker at once.
   * @param {string} worker
   * @param {string} reason
   */
  terminate(worker, reason) {
    const member = this.#members.get(worker)
    if (!member || member.state === 'ending' || member.state === 'gone') return
    this.#endMember(member, reason)
  }

  /**
   * The worker has done its last.
   * @param {string} worker
   */
  retired(worker) {
    const member = this.#members.get(worker)
    if (member?.state === 'retiring') this.#endMember(member, 'retired')
  }

  /**
   * Changes how many there may be. Resolves when there are as many: new ones online, superfluous ones gone.
   *
   * @param {number} min
   * @param {number} max
   */
  async scale(min, max) {
    this.#min = min
    this.#max = max
    this.#retire(this.size - max)
    this.start()
    await this.#until(() => {
      const isOver = this.#closed || this.#min !== min || this.#max !== max
      return isOver || (this.#onlineCount() >= min && this.#members.size <= max)
    })
    if (this.#closed) throw new NetworkClusterError('ERR_NC_CLOSED', 'the manager was closed')
  }

  /** Ends all workers. Resolves when they are gone. */
  async close() {
    this.#closed = true
    clearTimeout(this.#later)
    clearInterval(this.#looking)
    this.#changed()
    for (const member of this.#members.values()) {
      if (member.state !== 'ending' && member.state !== 'gone') this.#endMember(member, 'closed')
    }
    await this.#until(() => this.#members.size === 0)
  }

  #onlineCount() {
    let count = 0
    for (const { state } of this.#members.values()) if (state === 'online') count += 1
    return count
  }

  /** @param {number} wanted */
  #make(wanted) {
    if (this.#closed) return
    const count = Math.min(wanted, this.#max - this.size)
    if (count <= 0) return
    if (this.#later) {
      this.#owed = Math.max(this.#owed, count)
      return
    }
    for (let made = 0; made < count; made++) this.#makeOne()
    this.#look()
  }

  #makeOne() {
    const id = randomUUID()
    /** @type {Member} */
    const member = {
      id,
      handle: { terminate() {} },
      state: 'starting',
      online: undefined,
      starting: undefined,
      reason: undefined,
      overdue: false,
    }
    this.#members.set(id, member)
    try {
      member.handle = this.#options.make(id, (reason) => this.#gone(member, reason))
    } catch (error) {
      this.#gone(member, `could not be started: ${error instanceof Error ? error.message : error}`)
      return
    }
    if (/** @type {string} */ (member.state) === 'gone') return
    member.starting = setTimeout(() => {
      member.overdue = true
      this.#endMember(member, `did not come online within ${START_TIMEOUT} ms`)
    }, START_TIMEOUT).unref()
  }

  /**
   * @param {Member} member
   * @param {string} reason
   */
  #endMember(member, reason) {
    member.reason = reason
    member.state = 'ending'
    member.handle.terminate()
  }

  /**
   * @param {Member} member
   * @param {string} reason
   */
  #gone(member, reason) {
    if (member.state === 'gone') return
    const isOwnEnd = member.state === 'ending' && !member.overdue
    member.state = 'gone'
    clearTimeout(member.starting)
    this.#options.lost(member.id, member.reason ?? reason)
    this.#members.delete(member.id)
    if (!isOwnEnd) this.#count(member, member.reason ?? reason)
    if (!this.#closed) this.#replace()
    this.#changed()
  }

  /**
   * Notes how a worker ended that was not told to.
   *
   * @param {Member} member
   * @param {string} reason
   */
  #count({ online }, reason) {
    const isEarly = online === undefined || performance.now() - online < YOUNG
    this.#early = isEarly ? this.#early + 1 : 0
    if (online !== undefined) return
    this.#failed += 1
    if (this.#failed < GIVE_UP_AFTER || this.#onlineCount() > 0) return
    this.#failed = 0
    this.#options.giveUp(reason)
    for (const { reject } of this.#takeWatchers()) reject(noWorkers(reason))
  }

  /** Makes another one in place of a lost one if it is needed, later if they get lost again and again. */
  #replace() {
    const missing = this.#min - this.size
    const wanted = this.#options.load().pending > 0 ? Math.max(1, missing) : missing
    if (wanted <= 0) return
    if (this.#early <= 1) {
      this.#make(wanted)
      return
    }
    this.#owed = Math.max(this.#owed, wanted)
    if (this.#later) return
    const most = this.#failed > 0 ? MOST_DELAY : MOST_DELAY_ONLINE
    const delay = Math.min(most, LEAST_DELAY * 2 ** Math.min(this.#early - 2, 16))
    this.#later = setTimeout(() => {
      const count = this.#owed
      this.#later = undefined
      this.#owed = 0
      this.#make(count)
    }, delay).unref()
  }

  /** Looks from time to time whether there are more workers than are needed. */
  #look() {
    if (this.#looking || !Number.isFinite(this.#options.idleTimeout)) return
    this.#leastIdle = Infinity
    this.#looks = 0
    const each = Math.max(5, this.#options.idleTimeout / LOOKS)
    this.#looking = setInterval(() => this.#lookOnce(), each).unref()
  }

  #lookOnce() {
    if (this.size <= this.#min) {
      clearInterval(this.#looking)
      this.#looking = undefined
      return
    }
    this.#leastIdle = Math.min(this.#leastIdle, this.#options.load().idle)
    this.#looks += 1
    if (this.#looks < LOOKS) return
    this.#retire(Math.min(this.#leastIdle, this.size - this.#min))
    this.#looks = 0
    this.#leastIdle = Infinity
  }

  /**
   * Lets the newest go; one that has work finishes it.
   * @param {number} count
   */
  #retire(count) {
    const newest = [...this.#members.values()].toReversed()
    for (const member of newest) {
      if (count <= 0) return
      if (member.state === 'online') {
        member.state = 'retiring'
        this.#options.retire(member.id)
        count -= 1
      } else if (member.state === 'starting') {
        this.#endMember(member, 'retired')
        count -= 1
      }
    }
  }

  /**
   * Resolves when something holds. The process stays meanwhile.
   * @param {() => boolean} holds
   */
  async #until(holds) {
    const alive = setInterval(() => {}, 2 ** 30)
    try {
      while (!holds()) {
        await new Promise((resolve, reject) => this.#watchers.push({ resolve, reject }))
      }
    } finally {
      clearInterval(alive)
    }
  }

  #takeWatchers() {
    return this.#watchers.splice(0)
  }

  #changed() {
    for (const { resolve } of this.#takeWatchers()) resolve(undefined)
  }
}

module.exports = Crew
