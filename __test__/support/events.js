'use strict'

const DEFAULT_TIMEOUT = 5000

/** Rejects with `what` when the promise has not settled in time. */
function within(promise, what, timeout = DEFAULT_TIMEOUT) {
  let timer
  const late = new Promise((resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`No ${what} within ${timeout} ms`)), timeout)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

/**
 * The next event of an AsyncStreamEmitter or of a Node EventEmitter. The listener is in place when
 * this returns, so the cause of the event may follow on the next line.
 */
function once(emitter, name, timeout) {
  const next =
    typeof emitter.listener === 'function'
      ? emitter.listener(name).once()
      : new Promise((resolve) => emitter.once(name, resolve))
  return within(next, `'${name}' event`, timeout)
}

/** Hands each value of an async iterable to `visit`, in the background, until the iterable ends. */
function consume(stream, visit) {
  const consumer = stream.createConsumer()
  const done = (async () => {
    for (;;) {
      const packet = await consumer.next()
      if (packet.done) return
      await visit(packet.value)
    }
  })()
  done.catch((error) => {
    process.nextTick(() => {
      throw error
    })
  })
  return { done, consumer, stop: () => consumer.return() }
}

/** Records every event of that name; `until` waits for the record to satisfy a predicate. */
function record(emitter, name) {
  const values = []
  values.until = (accept, what = `'${name}' events`, timeout) =>
    eventually(() => accept(values), what, timeout)
  values.count = (n, timeout) =>
    values.until((list) => list.length >= n, `${n} '${name}' events`, timeout)
  consume(emitter.listener(name), (value) => {
    values.push(value)
  })
  return values
}

/** Waits until `condition()` is truthy and gives back what it returned. */
async function eventually(condition, what = 'expected state', timeout = DEFAULT_TIMEOUT) {
  const end = Date.now() + timeout
  for (;;) {
    const result = await condition()
    if (result) return result
    if (Date.now() > end) throw new Error(`No ${what} within ${timeout} ms`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

/** A short, bounded wait for tests which state that nothing happens. */
const quiet = (ms = 60) => new Promise((resolve) => setTimeout(resolve, ms))

module.exports = { once, consume, record, eventually, quiet, within }
