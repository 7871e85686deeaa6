'use strict'

const { Manager } = require('../../../lib/machines')

/** Resolves with what the event tells, once a condition holds for it. */
function until(emitter, event, holds = () => true) {
  const alive = setInterval(() => {}, 1000)
  return new Promise((resolve) => {
    const listener = (told) => {
      if (!holds(told)) return
      clearInterval(alive)
      emitter.removeListener(event, listener)
      resolve(told)
    }
    emitter.on(event, listener)
  })
}

/** A manager for one test, closed at its end. */
async function withManager(options, body) {
  const manager = new Manager(options)
  const lost = []
  const online = []
  manager.on('workerLost', (worker) => lost.push(worker))
  manager.on('workerOnline', (worker) => online.push(worker))
  try {
    return await body(manager, { lost, online })
  } finally {
    await manager.close({ force: true })
  }
}

/** The test is over with the first of these, so that nobody hangs. */
function within(promise, what, ms = 20_000) {
  let timer
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no ${what} within ${ms} ms`)), ms)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

module.exports = { until, withManager, within }
