'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const native = require('../../lib/core/native')
const { describe } = require('../../lib/functions')
const { Manager } = require('../../index.js')

const CASES = Array.from({ length: 500 }, (_, n) => `if (x === ${n}) return 'case ${n}'`)
const text = `(x) => { ${CASES.join('\n')} }`

/** @param {(manager: InstanceType<typeof Manager>) => Promise<void>} work */
async function withThread(work) {
  const manager = new Manager({ maxWorkers: 1 })
  try {
    await work(manager)
  } finally {
    await manager.close()
  }
}

/** Notes in a worker whether V8 took the code it was given for a long function. */
async function watch() {
  const { default: vm } = await import('node:vm')
  const { Script } = vm
  vm.Script = class extends Script {
    constructor(source, options) {
      super(source, options)
      if (source.length > 10_000) globalThis.rejected = String(this.cachedDataRejected)
    }
  }
}

const rejected = () => globalThis.rejected

test('what a thread compiled of a long function other threads need not compile', async () => {
  const key = `${describe(text, { uses: 'call' }).hash} plain`
  await withThread(async (manager) => {
    await manager.run(watch, [])
    assert.equal(await manager.run(text, [3]), 'case 3')
    assert.equal(await manager.run(rejected, []), 'undefined')
    // It is made once the answer is on its way.
    for (let n = 0; n < 100 && native.compiledCode(key) === null; n++) {
      await manager.run(() => 1, [])
    }
    assert.ok(native.compiledCode(key).length > 1000)
    assert.equal(native.claimCompiledCode(key), false)
  })
  await withThread(async (manager) => {
    await manager.run(watch, [])
    assert.equal(await manager.run(text, [4]), 'case 4')
    assert.equal(await manager.run(rejected, []), 'false')
  })
})
