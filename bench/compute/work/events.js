'use strict'

// One thread emits, others listen: until each of them has got everything.

const { once } = require('node:events')
const { Worker } = require('node:worker_threads')
const { median } = require('../../figures')
const { mainCpu, processCpu } = require('../timing')

const eventOf = (index) => ({ id: index, name: 'changed', at: 1_700_000_000_000 + index })

async function start(workerData) {
  const thread = new Worker(require.resolve('./events-thread'), { workerData })
  await once(thread, 'message')
  return thread
}

/** Emits all events, and waits until every thread has said that it has got them. */
async function pass(bus, threads, events) {
  const answers = threads.map((thread) => once(thread, 'message'))
  const [main, cpu, from] = [mainCpu(), processCpu(), performance.now()]
  for (let index = 0; index < events; index++) bus.emit(eventOf(index))
  const emitted = performance.now()
  await bus.flush?.()
  for (const [problem] of await Promise.all(answers)) if (problem) throw new Error(problem)
  const ms = performance.now() - from
  return {
    ms,
    perSecond: (events * threads.length * 1000) / ms,
    emit: ((emitted - from) / events) * 1000,
    main: mainCpu() - main,
    cpu: processCpu() - cpu,
  }
}

/** @returns {Promise<Record<string, number>>} */
async function run({ threads: count, events, passes, peer, socket }) {
  const workerData = { module: peer.module, socket, events }
  const threads = await Promise.all(Array.from({ length: count }, () => start(workerData)))
  const bus = await require(`../buses/${peer.module}`).sender({ threads, socket })
  const all = []
  for (let index = 0; index <= passes; index++) {
    const figures = await pass(bus, threads, events)
    if (index > 0) all.push(figures)
  }
  await Promise.all(threads.map((thread) => thread.terminate()))
  const merged = Object.keys(all[0]).map((name) => [name, median(all.map((each) => each[name]))])
  return { ...Object.fromEntries(merged), least: Math.min(...all.map(({ ms }) => ms)) }
}

module.exports = { run }
