'use strict'

// Where a memory is: in this process, or in another one. That can change from the latter to the former
// while it is used, if the process that had it ends.

const { closed } = require('./check.js')

/** @typedef {import('./local.js')} LocalMemory */
/** @typedef {InstanceType<typeof import('./opening.js').Opening>} Opening */
/** @typedef {LocalMemory | Opening | import('./remote.js')} Backend */

class Source {
  /** @type {Backend | null} null once closed */
  #backend
  #joined
  /** @type {Set<import('./watch.js')>} */
  #watches = new Set()
  /** @type {Promise<void> | undefined} */
  #closing
  /** Name of the memory in the process that has it. */
  name

  /**
   * @param {Backend} backend
   * @param {string} name
   * @param {InstanceType<typeof import('../link/hosts.js').Joined> | null} joined
   * @param {() => LocalMemory | Opening | undefined} [own] the memory, when this process has taken it over
   */
  constructor(backend, name, joined, own) {
    this.#backend = backend
    this.name = name
    this.#joined = joined
    if (backend.here) this.#settle(backend)
    joined?.on('up', () => this.#attachAll())
    joined?.on('down', () => this.#remote()?.lost())
    joined?.on('change', () => this.#move(own()))
    joined?.client?.on('closed', (reason) => this.#gone(reason))
  }

  /** Settled once the memory can be used. */
  get ready() {
    if (this.#joined !== null) return this.#joined.ready
    const backend = this.#backend
    if (backend === null || backend.here === false || backend.local === true)
      return Promise.resolve()
    return backend.ready()
  }

  /** What is asked now. */
  get backend() {
    if (this.#backend === null) throw closed()
    return this.#backend
  }

  get isClosed() {
    return this.#backend === null
  }

  /**
   * Does something with the memory, wherever it is.
   * @template T
   * @param {(backend: Backend) => T | Promise<T>} act
   * @returns {T | Promise<T>}
   */
  run(act) {
    const { backend } = this
    return backend.local ? act(backend) : this.#follow(backend, act)
  }

  /**
   * @template T
   * @param {Backend} backend
   * @param {(backend: Backend) => T | Promise<T>} act
   */
  async #follow(backend, act) {
    try {
      return await act(backend)
    } catch (reason) {
      // It was not sent yet when this process took the memory over.
      if (/** @type {any} */ (reason)?.moved && this.#backend !== backend) return act(this.backend)
      throw reason
    }
  }

  /** @param {import('./watch.js')} watch */
  add(watch) {
    this.#watches.add(watch)
    watch.attach()
  }

  /** @param {import('./watch.js')} watch */
  remove(watch) {
    this.#watches.delete(watch)
  }

  /** @returns {Promise<void>} once a directory that was being read is free */
  close() {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close() {
    const { backend } = this
    this.#backend = null
    for (const watch of [...this.#watches]) watch.end()
    const ended = backend.here ? backend.close(closed()) : undefined
    const left = this.#joined?.close()
    await ended
    await left
  }

  /**
   * From when it has been read, the memory is asked itself. What was asked before comes after this, and
   * before everything else.
   * @param {LocalMemory | Opening} backend
   */
  #settle(backend) {
    if (backend.local === true) return
    const settled = (/** @type {LocalMemory} */ memory) => {
      if (this.#backend === backend) this.#backend = memory
    }
    backend.opened.then(settled, () => {})
  }

  #remote() {
    const backend = this.#backend
    return backend === null || backend.here === true ? null : backend
  }

  #attachAll() {
    for (const watch of this.#watches) watch.attach()
  }

  /** @param {LocalMemory | Opening | undefined} own */
  #move(own) {
    const before = this.#remote()
    if (own === undefined || before === null) {
      void own?.close(closed())
      return
    }
    this.#backend = own
    this.#settle(own)
    before.lost()
    this.#attachAll()
  }

  /** @param {Error | undefined} reason none if this side has closed the connection */
  #gone(reason) {
    if (reason === undefined || this.#remote() === null) return
    if (/** @type {any} */ (reason).moved) return
    for (const watch of [...this.#watches]) watch.fail(reason)
  }
}

module.exports = Source
