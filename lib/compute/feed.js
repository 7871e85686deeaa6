'use strict'

// The items of a source on their way into a job.

const { performance } = require('node:perf_hooks')
const { NetworkClusterError } = require('../core/network-cluster-error')
const native = require('../core/native')
const { encode, encodeItems } = require('../values/index.js')

/** So long items are encoded without others getting a turn, in ms. */
const TURN = 10
/** Numbers that are sent as one block; the core divides it as it likes. */
const MOST_NUMBERS = 1 << 20
/** Other items of a block, where it does not depend on how fast they are done, and bytes. */
const MOST_ITEMS = 256
const MOST_BYTES = 1 << 20
/** Blocks of one size before they grow. */
const BLOCKS_OF_A_SIZE = 64

/** @typedef {InstanceType<typeof import('./job').Job>} Job */
/** @typedef {InstanceType<typeof import('./source').Pull>} Pull */
/** @typedef {InstanceType<typeof import('./window').Window>} Window */
/** @typedef {import('./source').Source} Source */

/**
 * @typedef {object} Feeding
 * @property {number} chunkSize items of a block; 0 to find out
 * @property {boolean} [whole] blocks are not to be divided
 * @property {((item: any) => string) | string | undefined} partitionBy
 * @property {((item: any) => readonly ArrayBuffer[]) | undefined} transfer
 * @property {Window | undefined} window how far a source is pulled ahead
 * @property {((item: unknown) => void) | undefined} keep gets every item that is pulled
 */

/**
 * Feeds the whole source to the job, and ends it. If the source or an item makes trouble the job is
 * cancelled for it.
 * @param {Job} job
 * @param {Source} source
 * @param {Feeding} feeding
 * @returns {Promise<void>} never rejects
 */
async function feed(job, source, feeding) {
  const sender = new Sender(job, feeding)
  try {
    if (source.list !== undefined) await feedList(sender, source.list)
    else if (source.pull.isAsync) await feedAsync(sender, source.pull, feeding)
    else await feedSync(sender, source.pull, feeding)
    job.end()
  } catch (error) {
    job.cancel(error)
  } finally {
    source.pull?.return()
  }
}

/**
 * @param {Sender} sender
 * @param {readonly unknown[] | Float64Array} list
 */
async function feedList(sender, list) {
  const numbers = sender.takesNumbers && areNumbers(list)
  const turn = new Turn()
  for (let at = 0; at < list.length;) {
    const size = numbers ? MOST_NUMBERS : sender.size
    const all = at === 0 && size >= list.length
    const items = all ? list : list.slice(at, at + size)
    at += items.length
    const wait = sender.send(items)
    if (wait !== undefined) await wait
    if (sender.isOver) return
    if (at < list.length) await turn.give()
  }
}

/** @param {readonly unknown[] | Float64Array} list */
function areNumbers(list) {
  if (list instanceof Float64Array) return true
  for (let i = 0; i < list.length; i++) if (typeof list[i] !== 'number') return false
  return true
}

/**
 * @param {Sender} sender
 * @param {Pull} pull
 * @param {Feeding} feeding
 */
async function feedSync(sender, pull, { window, keep }) {
  const turn = new Turn()
  while (!pull.ended && !sender.isOver) {
    if (window?.room === 0) {
      await window.wait()
      continue
    }
    const items = gather(pull, Math.min(sender.size, window?.room ?? Infinity), keep)
    if (items.length > 0) {
      window?.pulled(items.length)
      await sender.send(items)
    }
    await turn.give()
  }
}

/**
 * So many items, or what a slow source gives in one turn.
 * @param {Pull} pull
 * @param {number} most
 * @param {((item: unknown) => void) | undefined} keep
 */
function gather(pull, most, keep) {
  const items = []
  const until = performance.now() + TURN
  do {
    const { done, value } = pull.next()
    if (done) break
    items.push(value)
    keep?.(value)
  } while (items.length < most && performance.now() < until)
  return items
}

/**
 * Items that come in the same turn of the event loop go into one block.
 * @param {Sender} sender
 * @param {Pull} pull
 * @param {Feeding} feeding
 */
async function feedAsync(sender, pull, { window, keep }) {
  /** @type {unknown[]} */
  let items = []
  /** @type {Promise<void> | undefined} */
  let full
  /** @type {NodeJS.Immediate | undefined} */
  let flushing
  const flush = () => {
    clearImmediate(flushing)
    flushing = undefined
    const block = items
    items = []
    if (block.length > 0 && !sender.isOver) full = sender.send(block)
  }
  // Where nobody awaits it, an item that cannot be sent has to end the job all the same.
  const flushLater = () => {
    try {
      flush()
    } catch (error) {
      sender.fail(error)
    }
  }
  try {
    while (!sender.isOver) {
      if (full !== undefined) {
        await full
        full = undefined
      } else if (window?.room === 0) {
        flush()
        await window.wait()
      } else {
        const { done, value } = await pull.next()
        if (done) break
        window?.pulled(1)
        keep?.(value)
        if (items.push(value) >= sender.size) flush()
        else flushing ??= setImmediate(flushLater)
      }
    }
    flush()
  } finally {
    clearImmediate(flushing)
  }
}

/** Encodes items and pushes them. */
class Sender {
  #job
  #feeding
  /** Index of the next item. */
  #next = 0
  #size
  #blocks = 0

  /** @param {Job} job @param {Feeding} feeding */
  constructor(job, feeding) {
    this.#job = job
    this.#feeding = feeding
    this.#size = feeding.window === undefined ? 1 : MOST_ITEMS
  }

  get isOver() {
    return this.#job.settled
  }

  /** Whether numbers may go as one block. */
  get takesNumbers() {
    const { partitionBy, transfer, whole } = this.#feeding
    return partitionBy === undefined && transfer === undefined && !whole
  }

  /** How many items the next block is to have. */
  get size() {
    const { chunkSize, window } = this.#feeding
    return chunkSize || (window === undefined ? this.#size : Math.min(window.size, this.#size))
  }

  /** @param {unknown} error */
  fail(error) {
    this.#job.cancel(error)
  }

  /**
   * @param {readonly unknown[] | Float64Array} items
   * @returns {Promise<void> | undefined} if the job has enough for now
   */
  send(items) {
    const { partitionBy, transfer } = this.#feeding
    let full
    if (partitionBy === undefined) full = this.#push(items, -1)
    else for (const run of runsOf(items, partitionBy)) full = this.#push(run.items, run.partition)
    if (transfer !== undefined) for (const item of items) detach(transfer(item))
    return full
  }

  /** @param {readonly unknown[] | Float64Array} items @param {number} partition */
  #push(items, partition) {
    const first = this.#next
    const { tag, data } = encoded(items, first, this.#feeding.whole)
    this.#next += items.length
    this.#feeding.window?.sent(first)
    const full = this.#job.push(first, items.length, tag, data, partition)
    if (!(data instanceof Float64Array)) this.#grow(data.length / items.length)
    return full
  }

  /** @param {number} bytes of an item */
  #grow(bytes) {
    const grown = 2 ** Math.floor(++this.#blocks / BLOCKS_OF_A_SIZE)
    const most = this.#feeding.window === undefined ? Math.min(grown, MOST_ITEMS) : Infinity
    this.#size = Math.max(1, Math.min(most, Math.floor(MOST_BYTES / Math.max(1, bytes))))
  }
}

/**
 * @param {readonly unknown[] | Float64Array} items
 * @param {number} first the index of the first of them
 * @param {boolean} [whole] not as numbers, which the core may divide
 * @returns {{ tag: number, data: any }}
 */
function encoded(items, first, whole = false) {
  try {
    if (!whole) return encodeItems(items)
    const data = encode(Array.from(items))
    return { tag: encode.tag, data }
  } catch (cause) {
    for (const [i, item] of items.entries()) {
      try {
        encode(item)
      } catch (reason) {
        const { message } = /** @type {Error} */ (reason)
        throw new NetworkClusterError(
          'ERR_NC_INVALID_VALUE',
          `item ${first + i} cannot be sent: ${message}`,
        )
      }
    }
    throw cause
  }
}

/**
 * Neighbours of the same partition, in order.
 * @param {readonly unknown[] | Float64Array} items
 * @param {((item: any) => string) | string} partitionBy
 */
function runsOf(items, partitionBy) {
  /** @type {{ partition: number, items: unknown[] }[]} */
  const runs = []
  for (const item of items) {
    const partition = partitionOf(item, partitionBy)
    const last = runs.at(-1)
    if (last?.partition === partition) last.items.push(item)
    else runs.push({ partition, items: [item] })
  }
  return runs
}

/**
 * @param {unknown} item
 * @param {((item: any) => string) | string} partitionBy
 * @returns {number} the shard of the key, as memories have it
 */
function partitionOf(item, partitionBy) {
  const key = typeof partitionBy === 'string' ? partitionBy : partitionBy(item)
  if (typeof key !== 'string') {
    throw new NetworkClusterError(
      'ERR_NC_INVALID_ARG',
      `partitionBy must give a string, not ${typeof key}`,
    )
  }
  return native.shardOf(key)
}

/** @param {readonly ArrayBuffer[]} buffers given away: nobody is to write to them any more */
function detach(buffers) {
  const transfer = [...buffers]
  if (transfer.length > 0) structuredClone(null, { transfer })
}

/** Gives others a turn now and then. */
class Turn {
  #until = performance.now() + TURN

  /** @returns {Promise<void> | undefined} */
  give() {
    if (performance.now() < this.#until) return undefined
    return new Promise((resolve) => {
      setImmediate(() => {
        this.#until = performance.now() + TURN
        resolve()
      })
    })
  }
}

module.exports = { feed, partitionOf, areNumbers, encoded, Turn }
