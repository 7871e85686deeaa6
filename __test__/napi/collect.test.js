'use strict'

const assert = require('node:assert/strict')
const { execFile } = require('node:child_process')
const path = require('node:path')
const { promisify } = require('node:util')
const { forEachTransport, oursTest } = require('../support')

const script = path.join(__dirname, 'scripts', 'collect.js')

forEachTransport((transport) => {
  oursTest(`closed servers leave nothing behind (${transport})`, { timeout: 60000 }, async () => {
    const args = ['--expose-gc', script, transport]
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 55000 })
    const { alive, handles, threads, heap } = JSON.parse(stdout)
    assert.equal(alive, 0, 'servers that were not collected')
    assert.equal(handles, 0, 'handles more than before')
    if (threads !== null) assert.equal(threads, 0, 'threads more than before')
    assert.ok(heap < 2 * 1024 * 1024, `${heap} bytes of heap more than before`)
  })
})
