'use strict'

// The loops around a shipped function, as text: each function gets a copy of its own, so that the
// JIT compiler sees one function called in it and makes one piece of both.
//
// A loop goes on from item `at` and returns false where it cannot: `cursor.at` is the item, and
// `cursor.value` its result. If the function throws, `cursor.at` is the item too.

/**
 * @param {string} start before the loop
 * @param {string} call
 * @param {string} body what is done with `result`
 */
function loop(start, call, body) {
  return `(function (fn, items, out, at, first, scope, contextOf, cursor) {
  const count = items.length
  let i = at
  ${start}
  try {
    for (; i < count; i++) {
      const result = ${call}
      ${body}
    }
    return true
  } finally {
    cursor.at = i
  }
})`
}

const GIVE_UP = '{ cursor.value = result; return false }'
const UNLESS_PROMISE = `if (typeof result === 'object' && result !== null && typeof result.then === 'function') ${GIVE_UP}`

/**
 * The loop of a kind. 'numbers' is that of 'map' while all results are numbers; `out` of 'reduce'
 * is an object with the result so far as `value`.
 *
 * @param {'numbers' | import('./runner').Kind} kind
 * @param {boolean} usesContext
 * @param {boolean} spreads whether an item is the list of arguments
 */
function loopText(kind, usesContext, spreads) {
  const context = usesContext ? 'contextOf(first + i)' : 'undefined'
  const call = spreads ? 'fn.apply(undefined, items[i])' : `fn(items[i], scope, ${context})`
  switch (kind) {
    case 'numbers':
      return loop('', call, `if (typeof result !== 'number') ${GIVE_UP}\n      out[i] = result`)
    case 'filter':
      return loop('', call, `${UNLESS_PROMISE}\n      out[i] = result ? 1 : 0`)
    case 'flatMap':
      return loop('', call, `${UNLESS_PROMISE}\n      cursor.append(out, result)`)
    case 'forEach':
      return loop('', call, UNLESS_PROMISE)
    case 'reduce':
      return loop(
        'let value = out.value',
        'fn(value, items[i], scope)',
        `${UNLESS_PROMISE}\n      out.value = value = result`,
      )
    default:
      return loop('', call, `${UNLESS_PROMISE}\n      out[i] = result`)
  }
}

module.exports = { loopText }
