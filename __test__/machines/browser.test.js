'use strict'

// Workers in web pages, some of which lie.

const assert = require('node:assert/strict')
const fs = require('node:fs')
const http = require('node:http')
const path = require('node:path')
const { after, before, test } = require('node:test')
const { once } = require('node:events')
const { chromium } = require('playwright-core')
const { WebSocketServer } = require('ws')
const { BrowserWorker } = require('../../lib/machines/browser-worker')
const { needsTool } = require('../support')
const { until, withManager, within } = require('./support')

const CHROMIUM = process.env.CHROMIUM_PATH || '/usr/bin/chromium'
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-sync',
]
const skip = needsTool(fs.existsSync(CHROMIUM), `The browser tests need Chromium at ${CHROMIUM}`)

const SCRIPT = path.join(__dirname, '..', '..', 'lib', 'machines', 'browser-worker.js')
const TOKEN = 'for pages'
/** Without 'unsafe-eval': a page evaluates nothing that it is sent. */
const POLICY = "default-src 'self' 'unsafe-inline'; connect-src *"

let browser
let server
let origin
before(async () => {
  if (skip) return
  server = http.createServer((request, response) => {
    const isScript = request.url.endsWith('.js')
    response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html')
    response.setHeader('Content-Security-Policy', POLICY)
    if (isScript) return void fs.createReadStream(SCRIPT).pipe(response)
    const type = request.url === '/module' ? 'module' : 'text/javascript'
    return void response.end(
      `<!doctype html><script type="${type}" src="/browser-worker.js"></script>`,
    )
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${server.address().port}`
  browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS, headless: true })
})
after(async () => {
  await browser?.close()
  server?.close()
})

function inBrowser(name, options, body) {
  test(name, { skip, timeout: 90_000 }, async () => {
    const all = {
      listen: 'http://127.0.0.1:0',
      maxWorkers: 0,
      token: TOKEN,
      allowedOrigins: [origin],
    }
    await withManager({ ...all, ...options }, async (manager, told) => {
      await manager.start()
      const context = await browser.newContext()
      try {
        const open = (functions, more) => openWorker(context, manager, functions, more)
        await body(manager, open, told)
      } finally {
        await context.close()
      }
    })
  })
}

/** A page with a worker that has these functions, given as text. */
async function openWorker(
  context,
  manager,
  functions,
  { token = TOKEN, page: path = '/', at = manager.url } = {},
) {
  const page = await context.newPage()
  await page.goto(origin + path)
  await page.waitForFunction('globalThis.BrowserWorker')
  await page.addScriptTag({ content: `globalThis.functions = ${functions}` })
  const state = await page.evaluate(
    ([connect, token]) =>
      new Promise((resolve) => {
        globalThis.states = []
        globalThis.worker = new BrowserWorker({
          connect,
          token,
          functions: globalThis.functions,
          concurrency: 4,
          onState(state) {
            globalThis.states.push(state)
            resolve(state)
          },
        })
      }),
    [at, token],
  )
  return { page, state }
}

const HONEST = '{ double: (n) => 2 * n, self: (...args) => args.length > 1 ? args : args[0] }'
/** Says something else, as often as it is asked. */
const LIAR = '{ double: (n) => 2 * n + 1 }'

inBrowser(
  'a page runs its functions by name, as a script and as a module',
  {},
  async (manager, open) => {
    const functions = `{
    double: (n) => 2 * n,
    self: (value) => value,
    title: async () => { await new Promise((resolve) => setTimeout(resolve, 5)); return location.pathname },
    fail: () => { throw new TypeError('in the page') },
    odd: () => ({ fn: () => 1 }),
    many: (n) => Array.from({ length: n }, (_, i) => ({ i, text: 'ü €' })),
  }`
    for (const page of ['/', '/module']) {
      const opened = await open(functions, { page })
      assert.equal(opened.state, 'open')
      assert.equal(await manager.run('double', [21]), 42)
      assert.equal(await manager.run('title'), page)
      const values = [
        1.5,
        'text',
        'ü',
        '€ 🎉',
        null,
        true,
        [1, [2]],
        { a: { b: 'ü' } },
        { __proto__x: 1 },
      ]
      for (const value of values) assert.deepEqual(await manager.run('self', [value]), value)
      assert.equal((await manager.run('many', [20_000])).length, 20_000)
      await assert.rejects(manager.run('fail'), ({ cause }) => {
        assert.ok(cause instanceof TypeError)
        assert.equal(cause.message, 'in the page')
        return true
      })
      await assert.rejects(manager.run('odd'), { code: 'ERR_NC_UNSERIALIZABLE_RESULT' })
      const gone = until(manager, 'workerLost')
      await opened.page.evaluate(() => globalThis.worker.close())
      await gone
    }
  },
)

inBrowser(
  'a page is sent no code, and no values that only Node.js reads',
  { waitForWorkers: 200 },
  async (manager, open) => {
    await open(HONEST)
    await assert.rejects(
      manager.run(() => 1),
      { code: 'ERR_NC_NO_WORKERS' },
    )
    await assert.rejects(manager.run('self', [new Date()]), { code: 'ERR_NC_NO_WORKERS' })
    await assert.rejects(manager.run('other'), { code: 'ERR_NC_NO_WORKERS' })
    assert.equal(await manager.run('double', [1]), 2)
  },
)

inBrowser(
  'a page that closes loses nothing, and one that connects again goes on',
  {},
  async (manager, open) => {
    const { page } = await open(
      '{ wait: (n) => new Promise((resolve) => setTimeout(resolve, 150, n)) }',
    )
    const running = [1, 2, 3].map((n) => manager.run('wait', [n]))
    const second = await open('{ wait: (n) => n }')
    await page.close()
    assert.deepEqual(await within(Promise.all(running), 'results'), [1, 2, 3])
    const { url } = manager
    await manager.close({ force: true })
    await withManager(
      { listen: url, maxWorkers: 0, token: TOKEN, allowedOrigins: [origin] },
      async (next) => {
        await next.start()
        assert.equal(await within(next.run('wait', [7]), 'answer'), 7)
        const states = await second.page.evaluate(() => globalThis.states)
        assert.deepEqual([states[0], states[1], states.at(-1)], ['open', 'lost', 'open'])
      },
    )
  },
)

inBrowser(
  'a page with the wrong token, or from elsewhere, does not get in',
  { allowedOrigins: ['http://elsewhere.example'] },
  async (manager, open) => {
    assert.equal((await open(HONEST)).state, 'lost')
    assert.equal(manager.stats().workers, 0)
  },
)

inBrowser('a page with the wrong token is refused', {}, async (manager, open) => {
  assert.equal((await open(HONEST, { token: 'guessed' })).state, 'refused')
  assert.equal(manager.stats().workers, 0)
})

inBrowser('a page talks to no manager that does not know the token', {}, async (manager, open) => {
  const heard = []
  const impostor = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  await once(impostor, 'listening')
  impostor.on('connection', (socket) => {
    socket.on('message', (bytes) => {
      heard.push(bytes)
      // An answer without a proof, with one that proves nothing, or work.
      const answers = [Buffer.from('{}'), Buffer.alloc(64), Buffer.alloc(0)]
      const id = Buffer.of(heard.length === 3 ? 0x42 : 0x80, 1, 0, 0, 0, 0)
      socket.send(Buffer.concat([id, answers[heard.length - 1] ?? answers[1]]))
    })
  })
  try {
    const url = `ws://127.0.0.1:${impostor.address().port}`
    const first = await open(HONEST, { at: url })
    const second = await open(HONEST, { at: url })
    const third = await open(HONEST, { at: url })
    assert.deepEqual([first.state, second.state, third.state], ['refused', 'refused', 'lost'])
    assert.equal(await third.page.evaluate(() => globalThis.worker.isOpen), false)
    for (const bytes of heard) assert.equal(bytes.includes(TOKEN), false)
    assert.equal(manager.stats().workers, 0)
  } finally {
    for (const socket of impostor.clients) socket.terminate()
    impostor.close()
  }
})

inBrowser('a cancelled call ends in the page too', {}, async (manager, open) => {
  const { page } = await open(`{
    double: (n) => 2 * n,
    wait: () => new Promise(() => {}),
  }`)
  const abort = new AbortController()
  const running = manager.run('wait', [], { signal: abort.signal })
  await new Promise((resolve) => setTimeout(resolve, 50))
  abort.abort()
  await assert.rejects(running, { name: 'AbortError' })
  assert.equal(await manager.run('double', [4]), 8)
  assert.equal(await page.evaluate(() => globalThis.worker.isOpen), true)
})

inBrowser(
  'what most pages say counts, and a liar is found out',
  { verifyResults: 3 },
  async (manager, open, { lost }) => {
    await open(HONEST)
    await open(LIAR)
    await open(HONEST)
    await open(HONEST)
    const numbers = Array.from({ length: 60 }, (_, n) => n)
    const results = await within(
      Promise.all(numbers.map((n) => manager.run('double', [n]))),
      'results',
    )
    assert.deepEqual(
      results,
      numbers.map((n) => 2 * n),
    )
    assert.equal(lost.length, 1)
    assert.equal(manager.stats().workers, 3)
  },
)

inBrowser(
  'one page alone is not believed, where more are asked',
  { verifyResults: 3 },
  async (manager, open) => {
    await open(LIAR)
    let isOver = false
    const running = manager.run('double', [5]).finally(() => (isOver = true))
    await new Promise((resolve) => setTimeout(resolve, 200))
    assert.equal(isOver, false)
    await open(HONEST)
    await open(HONEST)
    assert.equal(await within(running, 'answer'), 10)
  },
)

test('browser-worker.js is complete in itself', () => {
  const source = fs.readFileSync(SCRIPT, 'utf8')
  assert.doesNotMatch(source, /require\(|import |eval\(|new Function/)
  assert.equal(typeof BrowserWorker, 'function')
})
