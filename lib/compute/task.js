'use strict'

// What a method of an iterator does: on the calling thread, or as a job for workers.

const os = require('node:os')
const { describe } = require('../functions')
const { NetworkClusterError } = require('../core/network-cluster-error')
const { abortError } = require('./errors.js')
const { feed } = require('./feed.js')
const { Inline, blocksOf, runsInline, BLOCK } = require('./inline.js')
const { Job, chunkSizeOf } = require('./job.js')
const { workOptions } = require('./options.js')
const { Results, nothingToReduce } = require('./results.js')
const { openSource } = require('./source.js')
const { describeMemory, scopeOf } = require('./scopes.js')
const { encode } = require('../values/index.js')
const { Window } = require('./window.js')

/** Items of a block of a source that gives one item after another. */
const MOST_ITEMS = 1024
/** Partial results that are combined at once. */
const COMBINED = 8

/**
 * @typedef {object} Task
 * @property {import('./job').Kind} kind
 * @property {import('./options').WorkOptions} options
 * @property {any} description of the function
 * @property {any} memory the scope's, if there is one
 * @property {import('./source').Source} source
 * @property {() => import('./job').Compute} compute
 */

/**
 * Checks everything that can be known before anything is done.
 * @param {object} asked
 * @param {string} asked.method
 * @param {unknown} asked.fn
 * @param {unknown} asked.given the options
 * @param {any} asked.memory
 * @param {any} asked.source
 * @param {() => import('./job').Compute} asked.compute
 * @returns {Task}
 */
function makeTask({ method, fn, given, memory, source, compute }) {
  const options = workOptions(method, given)
  const kind = /** @type {import('./job').Kind} */ (method === 'stream' ? 'map' : method)
  const uses = kind === 'reduce' ? 'reduce' : 'item'
  const description = describe(fn, { uses, globals: options.globals })
  if (description.report.usesScope && memory === undefined) {
    throw new NetworkClusterError(
      'ERR_NC_NO_SCOPE',
      `the function of ${method}() uses its scope: say which one with useScope()`,
    )
  }
  throwIfAborted(options.signal)
  return { kind, options, description, memory, source: openSource(source), compute }
}

/** @param {AbortSignal | undefined} signal */
function throwIfAborted(signal) {
  if (signal?.aborted) throw abortError(signal)
}

/** @param {Task} task */
function isInline({ description, options, source }) {
  return runsInline(description, options, source)
}

/** @param {Task} task */
function makeInline({ kind, description, options, memory }) {
  return new Inline(kind, description, options, memory === undefined ? undefined : scopeOf(memory))
}

/**
 * map, filter, flatMap, forEach.
 * @param {Task} task
 * @returns {Promise<any[]>}
 */
function runTask(task) {
  return isInline(task) ? collectInline(task) : inWorkers(task, collectFromWorkers)
}

/**
 * Work that its manager finishes before it is drained, also if it takes several jobs.
 * @template T
 * @param {Task} task
 * @param {(task: Task) => Promise<T>} work
 * @returns {Promise<T>}
 */
async function inWorkers(task, work) {
  const compute = task.compute()
  const release = compute.hold?.()
  try {
    return await work({ ...task, compute: () => compute })
  } finally {
    release?.()
  }
}

/** @param {Task} task */
async function collectInline(task) {
  const { kind, options, source } = task
  const inline = makeInline(task)
  /** @type {readonly unknown[] | Float64Array} */
  let block = []
  let start = 0
  const results = new Results(kind, true, (index) => block[index - start])
  const how = { signal: options.signal, listed: Infinity, pulled: BLOCK }
  for await (const next of blocksOf(source, how)) {
    block = next.items
    start = next.first
    const values = await inline.run(next, (error) => results.addError(error))
    results.addValues(start, values)
    inline.forget()
  }
  return results.finish()
}

/** @param {Task} task */
async function collectFromWorkers(task) {
  const { kind, options, source } = task
  const { keep, itemAt } = kind === 'filter' ? keeper(source) : NO_KEEPER
  const results = new Results(kind, options.ordered, itemAt)
  const job = await startJob(task, {
    onResult: (first, _count, tag, data) => results.add(first, tag, data),
    keep,
  })
  await job.done
  return results.finish()
}

/** @type {{ keep: undefined, itemAt: (index: number) => unknown }} */
const NO_KEEPER = { keep: undefined, itemAt: () => undefined }

/**
 * Keeps the items themselves, for what chooses among them.
 * @param {import('./source').Source} source
 */
function keeper({ list }) {
  /** @type {any} */
  const kept = list === undefined ? [] : list.slice()
  return {
    keep: list === undefined ? (/** @type {unknown} */ item) => void kept.push(item) : undefined,
    itemAt: (/** @type {number} */ index) => kept[index],
  }
}

/**
 * @param {Task} task
 * @param {object} how
 * @param {(first: number, count: number, tag: number, data: any) => void} how.onResult
 * @param {((item: unknown) => void) | undefined} [how.keep] gets every item of a source that is pulled
 * @param {InstanceType<typeof Window>} [how.window] how far ahead a source is pulled; `onResult` is to free it then
 * @param {boolean} [how.whole] blocks are not to be divided
 * @returns {Promise<InstanceType<typeof Job>>} once work can be submitted
 */
async function startJob(task, { onResult, keep, window, whole }) {
  const { kind, options, description, memory, source } = task
  const compute = task.compute()
  await compute.ready()
  const scope = description.report.usesScope ? await describeMemory(memory) : null
  throwIfAborted(options.signal)
  const chunkSize = chunkSizeOf(kind, options)
  const pulling = source.pull === undefined ? undefined : pullWindow(compute, chunkSize)
  const job = new Job(compute, description, options, kind, {
    memory: scope,
    stream: window !== undefined || pulling !== undefined || !options.ordered,
    total: source.list?.length ?? source.size,
    onResult: (first, count, tag, data) => {
      pulling?.back(first, count)
      onResult(first, count, tag, data)
      pulling?.freed(count)
    },
  })
  const partitionBy = options.partitionBy ?? compute.shardKey
  const ahead = window ?? pulling
  feed(job, source, {
    chunkSize,
    whole,
    partitionBy,
    transfer: options.transfer,
    window: ahead,
    keep,
  })
  const stop = () => {
    ahead?.release()
    source.pull?.return()
  }
  job.done.then(stop, stop)
  return job
}

/** @param {import('./job').Compute} compute @param {number} chunkSize */
function pullWindow(compute, chunkSize, most = MOST_ITEMS) {
  return new Window(compute.parallelism ?? os.availableParallelism(), chunkSize, most)
}

/**
 * @param {Task} task
 * @returns {Promise<any>}
 */
async function reduceTask(task) {
  const { initial } = task.options
  if (initial !== undefined) assertSendable(initial.value)
  const partials = isInline(task)
    ? await reduceInline(task)
    : await inWorkers(task, reduceInWorkers)
  if (partials.length > 0) return partials[0]
  if (initial === undefined) throw nothingToReduce()
  return initial.value
}

/** @param {unknown} initial which is combined as items are, and is none */
function assertSendable(initial) {
  try {
    encode(initial)
  } catch (cause) {
    const { message } = /** @type {Error} */ (cause)
    const refusal = `initial of reduce() cannot be sent: ${message}`
    throw new NetworkClusterError('ERR_NC_INVALID_VALUE', refusal)
  }
}

/**
 * @param {Task} task
 * @returns {Promise<any[]>} the result, if there were items
 */
async function reduceInline(task) {
  const { options, source } = task
  const inline = makeInline(task)
  let sum = options.initial === undefined ? [] : [options.initial.value]
  let any = false
  const how = { signal: options.signal, listed: Infinity, pulled: BLOCK }
  for await (const next of blocksOf(source, how)) {
    sum = [await inline.run(sum.length === 0 ? next : behind(sum, next))]
    any = true
    inline.forget()
  }
  return any ? sum : []
}

/**
 * @param {unknown[]} before
 * @param {import('./inline').Block} block
 */
function behind(before, { items, first }) {
  return { items: [...before, ...items], first: first - before.length, plain: false }
}

/**
 * Each block gives one value; those are combined in further rounds.
 * @param {Task} task
 * @returns {Promise<any[]>} the result, if there were items
 */
async function reduceInWorkers(task) {
  const { options } = task
  let partials = await reduceRound(task)
  if (partials.length === 0) return partials
  if (options.initial !== undefined) partials.unshift(options.initial.value)
  const further = { ...options, onProgress: undefined, partitionBy: undefined, transfer: undefined }
  while (partials.length > 1) {
    const chunkSize = partials.length <= 2 * COMBINED ? partials.length : COMBINED
    partials = await reduceRound({
      ...task,
      options: { ...further, chunkSize },
      source: { list: partials },
    })
  }
  return partials
}

/** @param {Task} task @returns {Promise<any[]>} a value for each block, in order */
async function reduceRound(task) {
  const results = new Results('reduce', true, () => undefined)
  const job = await startJob(task, {
    onResult: (first, _count, tag, data) => results.add(first, tag, data),
    whole: task.options.timeout > 0,
  })
  await job.done
  return results.finish()
}

module.exports = {
  makeTask,
  runTask,
  reduceTask,
  isInline,
  makeInline,
  inWorkers,
  startJob,
  pullWindow,
}
