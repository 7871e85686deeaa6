'use strict'

// A stream of values that any number of consumers read.
const WritableConsumableStream = require('writable-consumable-stream')
const Consumer = require('./consumer')

/**
 * What the types of the package leave out.
 * @typedef {import('../../types/streams').WritableConsumableStream & {
 *   tailNode: Node,
 *   generateConsumerId(): number,
 *   removeConsumerCallback?: (id: number) => void,
 *   _consumers: Map<number, any>,
 * }} Base
 * @typedef {{ data: { value: any, done: boolean }, next: Node | null, consumerId?: number }} Node
 */
const Base = /** @type {new (options?: object) => Base} */ (
  /** @type {unknown} */ (WritableConsumableStream)
)

class Stream extends Base {
  /** @param {{ generateConsumerId?: () => number, removeConsumerCallback?: (id: number) => void }} [options] */
  constructor(options) {
    super(options)
    /** Consumers that hold a place in the list of values. */
    this.held = 0
    /** @type {Consumer | undefined} the consumer, if there is just one */
    this._only = undefined
  }

  /** @returns {any} */
  createConsumer(timeout) {
    return new Consumer(this, this.generateConsumerId(), this.tailNode, timeout)
  }

  /** Whether the one consumer there is has taken all values and waits for the next. */
  get isWaiting() {
    return this._only !== undefined && this._only.isWaiting
  }

  _write(value, done, consumerId) {
    const node = { data: { value, done }, next: null, consumerId }
    this.tailNode.next = node
    this.tailNode = node
    if (this._only !== undefined) this._only.write()
    else for (const consumer of this._consumers.values()) consumer.write(node.data)
  }

  setConsumer(consumerId, consumer) {
    if (this._only === consumer && consumer.currentNode !== undefined) return
    this._consumers.set(consumerId, consumer)
    if (consumer.currentNode === undefined) {
      consumer.currentNode = this.tailNode
      this.held++
    }
    this._findOnly()
  }

  removeConsumer(consumerId) {
    const removed = this._consumers.delete(consumerId)
    this._findOnly()
    if (this.removeConsumerCallback) this.removeConsumerCallback(consumerId)
    return removed
  }

  _findOnly() {
    this._only = undefined
    if (this._consumers.size === 1) [this._only] = this._consumers.values()
  }
}

module.exports = Stream
