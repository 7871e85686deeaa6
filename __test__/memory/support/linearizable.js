'use strict'

// Whether operations that overlap can be put in an order, each within the time it took, in which every
// result is the one of a value that knows no concurrency (Wing and Gong, with Lowe's memory of what was
// tried).

/** The value after an operation, or FORBIDDEN if its result cannot be. Each value is set once. */
const FORBIDDEN = Symbol('forbidden')

function step(value, operation) {
  switch (operation.op) {
    case 'get':
      return operation.value === value ? value : FORBIDDEN
    case 'set':
      return operation.value
    case 'delete':
      return operation.existed === (value !== undefined) ? undefined : FORBIDDEN
    default:
      if (operation.done !== (operation.from === value)) return FORBIDDEN
      return operation.done ? operation.value : value
  }
}

/** Calls and returns in the order of time, as a list that can be cut and mended. */
function eventsOf(operations) {
  const events = []
  operations.forEach((operation, id) => {
    const end = { time: operation.end, id, call: null }
    const call = { time: operation.start, id, call: operation, end }
    events.push(call, end)
  })
  // At the same time calls come first: what may overlap does.
  events.sort((a, b) =>
    a.time < b.time ? -1 : a.time > b.time ? 1 : (b.call ? 1 : 0) - (a.call ? 1 : 0),
  )
  const head = { next: null, previous: null }
  let last = head
  for (const event of events) {
    last.next = event
    event.previous = last
    event.next = null
    last = event
  }
  return head
}

function cut(event) {
  event.previous.next = event.next
  if (event.next !== null) event.next.previous = event.previous
}

function mend(event) {
  event.previous.next = event
  if (event.next !== null) event.next.previous = event
}

/** @param {object[]} operations of one key, with `start` and `end` */
function isLinearizable(operations, initial) {
  const head = eventsOf(operations)
  const tried = new Set()
  const stack = []
  let done = 0n
  let value = initial
  let event = head.next
  while (head.next !== null) {
    if (event.call !== null) {
      const next = step(value, event.call)
      const mark = done | (1n << BigInt(event.id))
      const known = `${mark} ${String(next)}`
      if (next !== FORBIDDEN && !tried.has(known)) {
        tried.add(known)
        stack.push({ event, value, done })
        value = next
        done = mark
        cut(event)
        cut(event.end)
        event = head.next
      } else event = event.next
    } else {
      // Somebody's result was due before this.
      if (stack.length === 0) return false
      const last = stack.pop()
      value = last.value
      done = last.done
      mend(last.event.end)
      mend(last.event)
      event = last.event.next
    }
  }
  return true
}

/** @param {object[]} history of several keys */
function byKey(history) {
  const keys = new Map()
  for (const operation of history) {
    if (!keys.has(operation.key)) keys.set(operation.key, [])
    keys.get(operation.key).push(operation)
  }
  return keys
}

module.exports = { isLinearizable, byKey }
