'use strict'

// Single calls: each is a job of one item, the arguments.

const { NetworkClusterError } = require('../core/network-cluster-error')
const { call } = require('../compute/call')
const { abortError } = require('../compute/errors')
const { Job } = require('../compute/job')
const { workOptions } = require('../compute/options')
const { encodeItems, decodeItems, tags } = require('../values')
const { invalid, shown } = require('./options')

/** What workers without v8.serialize understand. */
const PLAIN = new Set([tags.NUMBERS, tags.JSON])

/**
 * @param {import('./compute')} compute
 * @param {import('./registry').Called} called
 * @param {readonly unknown[]} args
 * @param {object} [given] options
 * @param {string} [worker] the one that is to do it
 * @returns {Promise<any>} what the function returns
 */
async function run(compute, called, args, given, worker) {
  if (!Array.isArray(args)) throw invalid(`the arguments must be an array, not ${shown(args)}`)
  const options = given === undefined ? undefined : workOptions('run', given)
  throwIfAborted(options?.signal)
  const encoded = encodeItems([args])
  const release = compute.hold()
  try {
    await compute.ready()
    throwIfAborted(options?.signal)
    if (options === undefined && worker === undefined) {
      return await call(compute, called, encoded)
    }
    return await submit(compute, called, encoded, options ?? workOptions('run', given), worker)
  } finally {
    release()
  }
}

/** @param {AbortSignal | undefined} signal */
function throwIfAborted(signal) {
  if (signal?.aborted) throw abortError(signal)
}

/**
 * @param {import('./compute')} compute
 * @param {import('./registry').Called} called
 * @param {{ tag: number, data: any }} args encoded
 * @param {import('../compute/options').WorkOptions} options
 * @param {string} [worker]
 * @returns {Promise<any>}
 */
async function submit(compute, called, { tag, data }, options, worker) {
  /** @type {unknown} */
  let result
  const onResult = (_first, _count, tag, data) => ([result] = decodeItems(tag, data))
  const more = { total: 1, plainOnly: PLAIN.has(tag), worker, onResult }
  const job = new Job(compute, /** @type {any} */ (called), options, 'call', more)
  const told = compute.workers.get(worker)
  const lost = () => job.cancel(lostWith(worker))
  if (worker !== undefined && told === undefined) lost()
  told?.add(lost)
  job.push(0, 1, tag, data)
  job.end()
  try {
    await job.done
    return result
  } finally {
    told?.delete(lost)
  }
}

/** @param {string} worker that no other one stands in for */
const lostWith = (worker) =>
  new NetworkClusterError('ERR_NC_WORKER_LOST', `the worker ${worker} was lost before it answered`)

/**
 * @param {import('./compute')} compute
 * @param {import('./registry').Called} called
 * @param {readonly unknown[]} args
 * @returns {Promise<any[]>} what it returns in each worker
 */
function broadcast(compute, called, args) {
  const each = (worker) => run(compute, called, args, undefined, worker)
  return Promise.all([...compute.workers.keys()].map(each))
}

module.exports = { run, broadcast }
