'use strict'

const assert = require('assert')
const { execFileSync } = require('child_process')
const path = require('path')
const { describe: suite, it } = require('node:test')
const { Worker } = require('worker_threads')
const { describe, compile } = require('../../lib/functions')

const context = () => ({})
const LIBRARY = path.resolve(__dirname, '../../lib/functions')

/**
 * The results of a function in another thread, and whether it had to be compiled there.
 * @param {string} text
 * @param {Buffer} code
 */
async function compiledElsewhere(text, code) {
  const script = `
    const { compile } = require(${JSON.stringify(LIBRARY)})
    const { parentPort, workerData: { description, code } } = require('worker_threads')
    let compiled = false
    const codeCache = {
      get: () => Buffer.from(code),
      claim: () => { compiled = true },
      set: () => {},
    }
    const results = compile(description, 'map', { codeCache }).run([3], 0, null)
    setImmediate(() => parentPort.postMessage([results, compiled]))`
  const worker = new Worker(script, {
    eval: true,
    workerData: { description: describe(text), code },
  })
  const message = await new Promise((resolve, reject) => {
    worker.on('message', resolve).on('error', reject)
  })
  await worker.terminate()
  return message
}

suite('compile', () => {
  const value = (/** @type {string} */ text, globals = /** @type {string[]} */ ([])) =>
    compile(describe(text, { globals }), 'map').run([1], 0, null, undefined, context)[0]

  it('lets a function see nothing of the files around it', () => {
    const names = [
      'require',
      'module',
      'exports',
      '__dirname',
      'fn',
      'items',
      'out',
      'cursor',
      'native',
      'vm',
    ]
    const text = `() => [${names.map((name) => `typeof ${name}`)}].join()`
    assert.strictEqual(value(text, names), names.map(() => 'undefined').join())
    const importing = text.replace('() =>', '() => false ? import("fs") :')
    assert.strictEqual(value(importing, names), names.map(() => 'undefined').join())
    const read = `async (x, s) => { const v = await s.get("v"); return ${text.slice(6)} }`
    const runner = compile(describe(read, { globals: names }), 'map')
    assert.deepStrictEqual(runner.run([1], 0, [1], undefined, context), [
      names.map(() => 'undefined').join(),
    ])
  })

  it('leaves a function sloppy or strict, as it is written', () => {
    assert.strictEqual(value('() => typeof function () { return this }()'), 'object')
    assert.strictEqual(
      value('() => { "use strict"; return typeof function () { return this }() }'),
      'undefined',
    )
  })

  it('lets modules be imported', async () => {
    const runner = compile(describe('async x => (await import("path")).posix.sep + x'), 'map')
    assert.deepStrictEqual(await runner.run(['a'], 0, null, undefined, context), ['/a'])
    const local = compile(describe('async x => typeof (await import(x)).default.describe'), 'map')
    const results = await local.run(['./lib/functions/index.js'], 0, null, undefined, context)
    assert.deepStrictEqual(results, ['function'])
  })

  it('keeps the lines and columns of the author', () => {
    const where = (/** @type {string} */ text, /** @type {unknown[] | null} */ values) => {
      try {
        compile(describe(text), 'map').run([1], 0, values, undefined, context)
      } catch (error) {
        return /:(\d+:\d+)/.exec(/** @type {any} */ (error).cause.stack.split('\n')[1])?.[1]
      }
    }
    assert.strictEqual(where('x => { throw new Error() }', null), '1:14')
    assert.strictEqual(where('x =>\n  {\n throw new Error() }', null), '3:8')
    const read = 'async (x, s) => { throw new Error()\n await s\n.get("k") }'
    assert.strictEqual(where(read, [1]), '1:25')
    assert.strictEqual(
      where('async (x, s) => {\n await s\n.get("k")\n throw new Error() }', [1]),
      '4:8',
    )
  })

  it('gives the same runner again', () => {
    const description = describe('x => x + 0.5')
    const runner = compile(description, 'map')
    assert.strictEqual(compile(JSON.parse(JSON.stringify(description)), 'map'), runner)
    assert.notStrictEqual(compile(description, 'filter'), runner)
    for (let n = 0; n < 300; n++) compile(describe(`x => x + ${n}`), 'map')
    assert.notStrictEqual(compile(description, 'map'), runner)
  })

  it('refuses to run a function as what it was not described for', () => {
    assert.throws(() => compile(describe('x => x'), 'reduce'), { code: 'ERR_NC_INVALID_ARG' })
    assert.throws(() => compile(describe('x => x'), 'call'), { code: 'ERR_NC_INVALID_ARG' })
    assert.throws(() => compile(describe('x => x'), /** @type {any} */ ('constructor')), {
      code: 'ERR_NC_INVALID_ARG',
    })
    compile(describe('x => x', { uses: 'entry' }), 'call')
  })

  it('keeps the compiled code of long functions', async () => {
    const body = Array.from({ length: 400 }, (_, n) => `if (x === ${n}) return 'case ${n}'`).join(
      '\n',
    )
    /** @type {Map<string, Buffer>} */
    const kept = new Map()
    const codeCache = {
      get: (/** @type {string} */ key) => kept.get(key),
      claim: (/** @type {string} */ key) => !kept.has(key),
      set: (/** @type {string} */ key, /** @type {Buffer} */ code) => void kept.set(key, code),
    }
    const settled = () => new Promise((resolve) => setImmediate(resolve))
    const run = (/** @type {string} */ text) => {
      const runner = compile(describe(text), 'map', { codeCache })
      return runner.run([3], 0, null, undefined, context)
    }
    run('x => x - 0.5')
    await settled()
    assert.strictEqual(kept.size, 0)
    assert.deepStrictEqual(run(`x => { ${body} }`), ['case 3'])
    await settled()
    assert.strictEqual(kept.size, 1)
    const [code] = kept.values()
    assert.ok(code.length > 1000)
    // Another thread compiles from it; what V8 does not accept there is compiled anew.
    const text = `x => { ${body} }`
    assert.deepStrictEqual(await compiledElsewhere(text, code), [['case 3'], false])
    assert.deepStrictEqual(await compiledElsewhere(text, Buffer.from('nothing')), [
      ['case 3'],
      true,
    ])
  })

  it('says so where code must not be made from text', () => {
    const script = `
      const { describe, compile } = require(${JSON.stringify(LIBRARY)})
      try { compile(describe(x => x), 'map').run([1], 0, null) } catch (error) { console.log(error.code, error.message) }`
    const flags = ['--disallow-code-generation-from-strings', '-e', script]
    const said = execFileSync(process.execPath, flags, { encoding: 'utf8' })
    assert.match(said, /^ERR_NC_CODE_REFUSED functions cannot run here: .*--disallow-code/)
  })

  it('works in worker threads, without a warning', async () => {
    const script = `
      const { describe, compile } = require(${JSON.stringify(LIBRARY)})
      const { parentPort } = require('worker_threads')
      process.on('warning', (warning) => parentPort.postMessage(String(warning)))
      const runner = compile(describe('async x => (await import("path")).sep.length + x'), 'map')
      runner.run([1], 0, null).then((results) => setImmediate(() => parentPort.postMessage(results)))`
    const worker = new Worker(script, { eval: true })
    const message = await new Promise((resolve, reject) => {
      worker.on('message', resolve).on('error', reject)
    })
    assert.deepStrictEqual(message, Float64Array.of(2))
    await worker.terminate()
  })
})
