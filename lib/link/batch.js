'use strict'

// Frames of one turn of JavaScript go to the link's thread together: that costs one wake-up.

const { Writer } = require('./frames.js')

/** Beyond so many bytes they go at once. */
const MAX_BYTES = 256 * 1024

class Batch {
  /** @type {Uint8Array[]} */
  #frames = []
  #bytes = 0
  #link
  #refused

  /**
   * @param {import('../../native/binding.cjs').NativeLink} link
   * @param {(frame: Uint8Array) => void} refused gets those that there was no room for
   */
  constructor(link, refused) {
    this.#link = link
    this.#refused = refused
  }

  /** @param {Uint8Array} frame */
  add(frame) {
    this.#bytes += frame.length
    if (this.#frames.push(frame) === 1) queueMicrotask(() => this.flush())
    if (this.#bytes > MAX_BYTES) this.flush()
  }

  /** Hands over what there is. */
  flush() {
    const frames = this.#frames
    if (frames.length === 0) return
    this.#frames = []
    const writer = new Writer(this.#bytes + 4 * frames.length)
    this.#bytes = 0
    for (const frame of frames) writer.u32(frame.length).bytes(frame)
    const taken = this.#link.send(writer.finish())
    for (let at = taken; at < frames.length; at++) this.#refused(frames[at])
  }
}

module.exports = { Batch }
