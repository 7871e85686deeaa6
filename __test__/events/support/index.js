'use strict'

const path = require('node:path')
const SharedEventEmitterClass = require('../../../lib/events/shared-event-emitter.js')
const link = require('../../link/support')

const file = path.join(__dirname, 'peer.js')

/**
 * A URL that nobody serves, processes whose emitters use it, and emitters of this process; all of them end
 * with the test.
 */
async function setting(t, name = '') {
  const { url, peer } = await link.setting(t, name)
  return {
    url,
    /** A process with an emitter. */
    station: async (options) => {
      const it = peer({ file, serialization: 'advanced' })
      await it.ask('open', url, options)
      return it
    },
    /** An emitter here. */
    open: (options) => {
      const emitter = new SharedEventEmitterClass(url, options)
      t.after(() => emitter.close())
      return emitter
    },
  }
}

module.exports = { setting }
