'use strict'

const assert = require('node:assert/strict')
const { behaviour } = require('../support')

const BUILT_INS = [Object.prototype, Object, Function.prototype, Array.prototype, String.prototype]
const keys = () => BUILT_INS.map((each) => Object.getOwnPropertyNames(each).length)

/**
 * A behaviour after which the server must still serve another client, count nobody, hold no
 * channel, and have written nothing on the built-in objects of the process.
 */
function survives(name, ...rest) {
  const body = rest.pop()
  const options = rest[0] || {}
  behaviour(name, options, async (running, transport) => {
    const before = keys()
    await body(running, transport)
    await running.assertServes()
    for (const raw of running._raw) raw.destroy()
    await running.untilEmpty()
    assert.deepEqual(running.server.brokerEngine.subscriptions(), [])
    assert.deepEqual(keys(), before)
    assert.deepEqual(
      running.errors.map(({ error }) => error),
      [],
    )
  })
}

module.exports = { survives }
