'use strict'

// One reader of a stream. It behaves like its base class, to the turn of the microtask queue, but
// makes one promise per value instead of several, and no garbage that outlives the value.
const BaseConsumer = require('writable-consumable-stream/consumer')

/**
 * @typedef {{
 *   id: number,
 *   timeout?: number,
 *   stream: import('./stream'),
 *   currentNode: import('./stream').Node | undefined,
 *   _backpressure: number,
 *   _destroy(): void,
 *   next(): Promise<{ value: any, done: boolean }>,
 * }} Base
 */
const Base = /** @type {new (...args: any[]) => Base} */ (/** @type {unknown} */ (BaseConsumer))

const NOW = Promise.resolve()

class Consumer extends Base {
  constructor(stream, id, startNode, timeout) {
    super(stream, id, startNode, timeout)
    stream.held++
    this._killPacket = undefined
    this._timeoutId = undefined
    /** Called by the next value: somebody waits for it. */
    this._resolve = undefined
    this._settle = undefined
    this._noted = false
    this._wake = undefined
    this._note = undefined
    this._began = undefined
  }

  /** Whether everything written so far has been taken, and the next value is waited for. */
  get isWaiting() {
    return this._resolve !== undefined
  }

  clearActiveTimeout() {
    clearTimeout(this._timeoutId)
    this._timeoutId = undefined
  }

  write() {
    if (this._timeoutId !== undefined) this.clearActiveTimeout()
    this._backpressure++
    const resolve = this._resolve
    if (resolve === undefined) return
    this._resolve = undefined
    resolve()
  }

  next() {
    if (this.timeout !== undefined) return super.next()
    this.stream.setConsumer(this.id, this)
    const data = this._take()
    return data === undefined ? this._wait() : Promise.resolve(data)
  }

  /** What is there already, as the result of `next`. */
  _take() {
    const { stream } = this
    let node = this.currentNode.next
    if (node !== null && this._killPacket !== undefined) return this._takeKill()
    while (node !== null) {
      // A node that nobody needs must not lead to later ones: once it is old, the garbage
      // collector would take all of these for alive.
      if (stream.held === 1) this.currentNode.next = null
      this.currentNode = node
      this._backpressure--
      if (!node.consumerId || node.consumerId === this.id) {
        if (node.data.done) this._destroy()
        return node.data
      }
      node = node.next
    }
    return undefined
  }

  _takeKill() {
    this._destroy()
    const packet = this._killPacket
    this._killPacket = undefined
    return packet
  }

  _wait() {
    this._listen()
    return new Promise((resolve) => {
      this._settle = resolve
    })
  }

  // A value takes as many turns to a loop that waits as through the promises of the base class:
  // one more if it comes before the turn after that in which the loop began to wait.
  _listen() {
    if (this._wake === undefined) this._makeSteps()
    this._resolve = this._note
    NOW.then(this._began)
  }

  _makeSteps() {
    const finish = () => this._settleWaiting()
    const oneMore = () => {
      NOW.then(finish)
    }
    this._wake = () => {
      NOW.then(oneMore)
    }
    this._note = () => {
      this._noted = true
    }
    this._began = () => {
      if (this._noted) {
        this._noted = false
        this._wake()
      } else if (this._resolve === this._note) this._resolve = this._wake
    }
  }

  _settleWaiting() {
    if (this._killPacket !== undefined) this._settle(this._takeKill())
    else if (this.currentNode !== undefined) {
      const data = this._take()
      if (data === undefined) this._listen()
      else this._settle(data)
    }
  }

  return() {
    if (this.currentNode !== undefined) this.stream.held--
    this.currentNode = undefined
    this._destroy()
    return /** @type {any} */ ({})
  }
}

module.exports = Consumer
