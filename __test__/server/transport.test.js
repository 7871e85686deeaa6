'use strict'

const assert = require('node:assert/strict')
const { spawn } = require('node:child_process')
const path = require('node:path')
const { oursTest, startServer, subject } = require('../support')

for (const transport of ['auto', 'fd', 'bridge']) {
  oursTest(`transport ${transport} serves`, async () => {
    const running = await startServer({ transport })
    try {
      await running.assertServes()
      await running.untilEmpty()
    } finally {
      await running.stop()
    }
  })
}

oursTest('an unknown transport is an InvalidOptionsError', () => {
  assert.throws(() => new subject.AGServer({ transport: 'pigeon' }), {
    name: 'InvalidOptionsError',
  })
})

oursTest('ES_NETWORKCLUSTER_TRANSPORT=bridge serves and lets the process end', async () => {
  const script = path.join(__dirname, 'exit', 'closing-script.js')
  const child = spawn(process.execPath, [script, 'default', '5', 'traffic'], {
    env: { ...process.env, ES_NETWORKCLUSTER_TRANSPORT: 'bridge' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (part) => (output += part))
  const code = await new Promise((resolve) => child.once('exit', resolve))
  assert.equal(code, 0)
  assert.match(output, /^closed/)
})
