'use strict'

const assert = require('node:assert/strict')
const { after, before, test } = require('node:test')
const { LocalManager } = require('./support.js')

/** @type {LocalManager} */
let manager
/** @type {any} */
let Iterator

before(() => {
  manager = new LocalManager({ local: 2 })
  Iterator = manager.Iterator
})
after(() => manager.close())

/** @param {Promise<unknown>} work */
const failure = (work) =>
  work.then(
    () => assert.fail('it did not fail'),
    (reason) => reason,
  )

/** Values that are thrown, and what the cause is at the caller. */
const THROWN = [
  [
    'undefined',
    () => {
      throw undefined
    },
    undefined,
  ],
  [
    'null',
    () => {
      throw null
    },
    null,
  ],
  [
    'NaN',
    () => {
      throw NaN
    },
    NaN,
  ],
  [
    '-0',
    () => {
      throw -0
    },
    -0,
  ],
  [
    'an object',
    () => {
      throw { a: [1] }
    },
    { a: [1] },
  ],
  [
    'a BigInt',
    () => {
      throw 10n
    },
    '10',
  ],
  [
    'what cannot be text',
    () => {
      throw { toString: 1, at: 1n }
    },
    'a value of type object',
  ],
  [
    'a revoked proxy',
    () => {
      const { proxy, revoke } = Proxy.revocable({}, {})
      revoke()
      throw proxy
    },
    'a value of type object',
  ],
]

for (const [what, fn, cause] of THROWN) {
  test(`${what} is thrown, in a worker and inline`, async () => {
    for (const options of [{}, { timeout: 60_000 }]) {
      const error = await failure(new Iterator([1]).map(fn, options))
      assert.equal(error.code, 'ERR_NC_TASK_FAILED')
      assert.equal(error.itemIndex, 0)
      assert.deepEqual(error.cause, cause)
    }
  })
}

test('an error whose properties throw keeps the others', async () => {
  const error = await failure(
    new Iterator([1]).map(() => {
      const thrown = new RangeError('readable')
      for (const name of ['stack', 'extra', 'code']) {
        Object.defineProperty(thrown, name, {
          enumerable: true,
          get() {
            throw new Error(`no ${name}`)
          },
        })
      }
      throw Object.assign(thrown, { other: 1 })
    }),
  )
  assert.ok(error.cause instanceof RangeError)
  assert.equal(error.cause.message, 'readable')
  assert.equal(error.cause.other, 1)
  assert.equal('extra' in error.cause, false)
})

test('an AggregateError arrives as one', async () => {
  const { cause } = await failure(
    new Iterator([1]).map(() => {
      throw new AggregateError([new TypeError('first'), null], 'several')
    }),
  )
  assert.ok(cause instanceof AggregateError)
  assert.equal(cause.errors[0].message, 'first')
  assert.equal(cause.errors[1], null)
})
