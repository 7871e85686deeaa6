'use strict'

const assert = require('node:assert/strict')
const { after, before, describe, test } = require('node:test')
const original = require('socketcluster-server')
const { isOurs, subject, transportOption, transports } = require('../support')
const allowed = require('./allow.json')
const { startSide } = require('./app')
const { Player } = require('./player')
const { profiles } = require('./profiles')
const { sessions } = require('./sessions')

test('every allowed difference names a session', () => {
  const ids = new Set(sessions.map(({ id }) => id))
  assert.equal(ids.size, sessions.length, 'session ids are not unique')
  for (const id of Object.keys(allowed)) assert.ok(ids.has(id), id)
})

for (const transport of transports) {
  for (const [profile, { options, middleware }] of Object.entries(profiles)) {
    describe(`profile ${profile} (${transport})`, () => {
      let sides
      before(async () => {
        const ours = { ...options, ...transportOption(transport) }
        sides = [
          await startSide(original, options, middleware),
          await startSide(subject, ours, middleware),
        ]
      })
      after(() => Promise.all(sides.map((side) => side.stop())))

      for (const { id, run } of sessions.filter((each) => each.profile === profile)) {
        test(`${id} is answered as by the original`, { timeout: 30000 }, async () => {
          const play = (side) => new Player(side).play(run)
          const [expected, actual] = await Promise.all(sides.map(play))
          if (!isOurs || !allowed[id]) assert.deepEqual(actual, expected)
          else assert.notDeepEqual(actual, expected, `no longer different: ${allowed[id]}`)
        })
      }
    })
  }
}
