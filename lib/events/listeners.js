'use strict'

/** @typedef {(...args: any[]) => void} Listener */

/** Who listens to what in this thread. A list is replaced, never changed: one may be in use. */
class Listeners {
  /** @type {Map<string, readonly { listener: Listener, once: boolean }[]>} */
  #lists = new Map()

  /** How many events somebody listens to. */
  get size() {
    return this.#lists.size
  }

  names() {
    return this.#lists.keys()
  }

  /** @param {string} name */
  count(name) {
    return this.#lists.get(name)?.length ?? 0
  }

  /**
   * @param {string} name
   * @param {Listener} listener
   * @param {boolean} once
   */
  add(name, listener, once) {
    this.#lists.set(name, [...(this.#lists.get(name) ?? []), { listener, once }])
  }

  /**
   * Removes the one that was added last, as an EventEmitter does.
   * @param {string} name
   * @param {Listener} listener
   */
  remove(name, listener) {
    const list = this.#lists.get(name) ?? []
    const index = list.findLastIndex((it) => it.listener === listener)
    if (index !== -1) this.#set(name, list.toSpliced(index, 1))
  }

  clear() {
    this.#lists.clear()
  }

  /**
   * Calls them in the order they were added. What one of them throws becomes an uncaught exception
   * of its own, and keeps no other from being called.
   * @param {string} name
   * @param {unknown[]} args
   */
  call(name, args) {
    const list = this.#lists.get(name)
    if (list === undefined) return
    for (const entry of list) {
      if (entry.once) this.remove(name, entry.listener)
      try {
        entry.listener(...args)
      } catch (error) {
        process.nextTick(() => {
          throw error
        })
      }
    }
  }

  /**
   * @param {string} name
   * @param {readonly { listener: Listener, once: boolean }[]} list
   */
  #set(name, list) {
    if (list.length === 0) this.#lists.delete(name)
    else this.#lists.set(name, list)
  }
}

module.exports = Listeners
