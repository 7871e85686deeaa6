'use strict'

// The machine that has work done: it keeps the queue, and has as many workers as the queue needs.

const { broadcast, run } = require('./calls')
const Compute = require('./compute')
const Crew = require('./crew')
const Machine = require('./machine')
const { makerFor } = require('./makers')
const { managerOptions, scaleOptions } = require('./manager-options')
const Pressure = require('./pressure')
const Reception = require('./reception')
const Registry = require('./registry')
const Waiting = require('./waiting')

/** @typedef {import('../../types/machines').ManagerOptions} ManagerOptions */
/** @typedef {import('../../types/machines').MachineStats} MachineStats */
/** @typedef {import('../../types/machines').Role} Role */
/** @typedef {{ compute: Compute, crew: Crew, pressure: Pressure, waiting: Waiting }} Opened */

/** Workers that end for these reasons were not lost. */
const WANTED = new Set(['retired', 'closed'])

class Manager extends Machine {
  #options
  #reception
  #registry
  /** @type {Opened | undefined} made with the first job, or by start() */
  #opened

  /** @param {ManagerOptions} [options] see docs/api/Manager.md */
  constructor(options) {
    super('manager')
    this.#options = managerOptions(options)
    this.#reception = new Reception(this.id, this.#options, {
      adaptable: (info) => this.emit('adaptable', info),
      role: ({ id, role }) => this.emit('role', { id, role }),
      leaving: (worker) => this.#opened?.compute.pool.retire(worker),
    })
    this.#registry = new Registry(this, this.#options.acceptWorkers)
  }

  /** Where workers connect, once started with `listen`; the port is the real one. */
  get url() {
    return this.#reception.url
  }

  /** Whether so much waits that whoever makes work should pause until 'drain'. */
  get needsDrain() {
    return this.#opened?.pressure.isHigh() ?? false
  }

  /** @returns {MachineStats} */
  stats() {
    const native = this.#opened?.compute.stats()
    return native ? { ...super.stats(), ...native, role: this.role } : super.stats()
  }

  /**
   * Sets how many workers the manager makes itself. Resolves when there are so many: those that are too
   * many finish what they have first.
   *
   * @param {number | { min: number, max: number }} workers
   * @returns {Promise<void>}
   */
  async scale(workers) {
    const { min, max } = scaleOptions(workers)
    const { crew } = this.#open()
    await this.start()
    await crew.scale(min, max)
  }

  /**
   * Registers a function: it is analysed now, and reaches a worker when it first has work for it.
   *
   * @param {((...args: any[]) => unknown) | string} fn
   * @param {{ name?: string, globals?: readonly string[] }} [options] `name`: what run() may call it by
   * @returns {import('../../types/machines').RegisteredFunction<any[], any>}
   */
  register(fn, options) {
    this._assertOpen()
    return this.#registry.register(fn, options)
  }

  /**
   * Calls a function in a worker.
   *
   * @param {((...args: any[]) => unknown) | string} fn a function, its text, or the name of a registered one
   * @param {readonly unknown[]} [args]
   * @param {import('../../types/machines').RunOptions} [options]
   * @returns {Promise<any>} what it returns
   */
  async run(fn, args = [], options = undefined) {
    return run(this._compute(), this.#registry.describe(fn, options?.globals), args, options)
  }

  /**
   * Calls a function once in every worker there is.
   *
   * @param {((...args: any[]) => unknown) | string} fn
   * @param {readonly unknown[]} [args]
   * @returns {Promise<any[]>} what they return, in no order
   */
  async broadcast(fn, args = []) {
    const compute = this._compute()
    return broadcast(compute, this.#registry.describe(fn), args)
  }

  /**
   * The Adaptables that are connected.
   * @returns {{ id: string, role: Role, roles: Role[] }[]}
   */
  adaptables() {
    return this.#reception.adaptables()
  }

  /**
   * Orders an Adaptable to take a role. Resolves when it has.
   *
   * @param {string} id
   * @param {Role} role 'adaptable' ends the one it has
   * @param {object} [options] of the machine it is to become
   * @returns {Promise<void>}
   */
  async assign(id, role, options) {
    this._assertOpen()
    await this.start()
    await this.#reception.assign(id, role, options)
  }

  /**
   * What parallel work uses: made when it is first needed.
   * @returns {Compute}
   * @throws {import('../core/network-cluster-error').NetworkClusterError} ERR_NC_CLOSED
   */
  _compute() {
    this._assertOpen()
    const { compute } = this.#open()
    // Its failure fails the jobs; ready() tells it to those that ask.
    this.start().catch(() => {})
    return compute
  }

  /** @returns {Opened} */
  #open() {
    this._assertOpen()
    this.#opened ??= this.#make()
    return this.#opened
  }

  /** @returns {Opened} */
  #make() {
    const options = this.#options
    /** @type {Opened} */
    const opened = /** @type {any} */ ({})
    const compute = new Compute(this.id, this.#computeOptions(opened), this.#events(opened))
    opened.compute = compute
    opened.pressure = new Pressure(compute, options.maxQueue, (event) => this.emit(event))
    const makesWorkers = () => opened.crew.max > 0
    opened.waiting = new Waiting(compute, options.waitForWorkers, makesWorkers)
    opened.crew = new Crew({
      min: options.minWorkers,
      max: options.maxWorkers,
      idleTimeout: options.idleTimeout,
      make: makerFor(this.id, options, this.#reception),
      load: () => compute.stats(),
      retire: (worker) => compute.pool.retire(worker),
      lost: (worker, reason) => this.#lost(opened, worker, reason),
      giveUp: (reason) => compute.failAll('ERR_NC_NO_WORKERS', `no worker starts: ${reason}`),
    })
    return opened
  }

  /** @param {Opened} opened */
  #computeOptions(opened) {
    const { leaseTime, maxQueue, structure, verifyResults, retries, shardKey } = this.#options
    return {
      leaseTime,
      maxQueue,
      structure,
      verifyResults,
      retries,
      shardKey,
      parallelism: () => Math.max(1, opened.crew.max, compute(opened).stats().workers),
      ready: () => this.#reception.start(),
      submitted: () => {
        opened.pressure.look()
        if (this.#options.acceptWorkers) opened.waiting.start()
      },
      // What was accepted before a drain() may still submit its jobs.
      refusal: () => (this._isClosing ? this._refusal : undefined),
    }
  }

  /**
   * @param {Opened} opened
   * @returns {import('./compute').WorkerEvents}
   */
  #events(opened) {
    return {
      demand: (count) => opened.crew.demand(count),
      online: (worker, info) => {
        opened.crew.online(worker)
        this.emit('workerOnline', { ...JSON.parse(info), id: worker })
      },
      lost: (worker, reason) => {
        if (opened.crew.has(worker)) return
        this.emit('workerLost', { id: worker, reason })
      },
      terminate: (worker, reason) => opened.crew.terminate(worker, reason),
      retired: (worker) => {
        if (opened.crew.has(worker)) opened.crew.retired(worker)
        else this.#reception.dismiss(worker)
      },
      drained: () => opened.pressure.ease(),
      error: (error) => this._report(error),
    }
  }

  /**
   * A worker of the crew is gone.
   *
   * @param {Opened} opened
   * @param {string} worker
   * @param {string} reason
   */
  #lost({ compute }, worker, reason) {
    compute.workerLost(worker, reason)
    if (!WANTED.has(reason)) this.emit('workerLost', { id: worker, reason })
  }

  /** @protected */
  async _start() {
    const { compute, crew } = this.#open()
    try {
      await this.#reception.start()
    } catch (error) {
      compute.failAll(error.code ?? 'ERR_NC_CONNECT', error.message)
      throw error
    }
    if (this._isClosing) throw this._refusal
    await crew.scale(this.#options.minWorkers, this.#options.maxWorkers)
  }

  /** @protected */
  async _drain() {
    await this.#opened?.compute.jobs.empty()
  }

  /** @protected */
  async _close() {
    if (this.#opened) {
      const { compute, crew, waiting } = this.#opened
      waiting.stop()
      compute.close()
      await crew.close()
    }
    await this.#reception.close()
  }
}

/** @param {Opened} opened */
const compute = ({ compute }) => compute

module.exports = Manager
