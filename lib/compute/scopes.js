'use strict'

// The memories that callbacks read in this worker.

/**
 * @typedef {object} OpenedScope
 * @property {any} scope what the callback gets
 * @property {(keys: readonly string[]) => any[] | Promise<any[]> | null} read all at one moment; null for
 *   no keys
 */
/** @typedef {(descriptor: any) => { memory: any, scope: any }} OpenMemory */

class Scopes {
  #open
  /** @type {Map<string, OpenedScope & { memory: any }>} by the descriptor's text */
  #opened = new Map()

  /** @param {OpenMemory} [open] */
  constructor(open) {
    this.#open = open
  }

  /**
   * @param {object} descriptor
   * @returns {OpenedScope}
   */
  get(descriptor) {
    const key = JSON.stringify(descriptor)
    let opened = this.#opened.get(key)
    if (opened === undefined) {
      opened = makeScope((this.#open ?? openMemory)(descriptor))
      this.#opened.set(key, opened)
    }
    return opened
  }

  close() {
    for (const { memory } of this.#opened.values()) memory.close()
    this.#opened.clear()
  }
}
