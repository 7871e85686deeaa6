'use strict'

const assert = require('node:assert/strict')
const fs = require('node:fs')
const http = require('node:http')
const path = require('node:path')
const { after, before, test } = require('node:test')
const jsonwebtoken = require('jsonwebtoken')
const { chromium } = require('playwright-core')
const { AUTH_KEY, forEachTransport, needsTool, once } = require('../support')
const { startServer, transportOption, within } = require('../support')

const CHROMIUM = process.env.CHROMIUM_PATH || '/usr/bin/chromium'
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
const skip = needsTool(fs.existsSync(CHROMIUM), `The browser tests need Chromium at ${CHROMIUM}`)

const folder = path.dirname(require.resolve('socketcluster-client/package.json'))
const script = fs.readFileSync(path.join(folder, 'socketcluster-client.min.js'))
const PAGE = `<!doctype html><meta charset="utf-8"><title>client</title><script type="module">
import * as module from '/client.js'
window.library = module.create ? module : module.default || window.socketClusterClient
window.loaded = true
</script>`

function pages(request, response) {
  const isScript = request.url === '/client.js'
  response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html')
  response.end(isScript ? script : PAGE)
}

let browser
before(async () => {
  if (skip) return
  browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS, headless: true })
})
after(() => browser && browser.close())

/** Opens the page in a browser and connects its client, which becomes `window.client`. */
async function open(running) {
  const page = await browser.newPage()
  await page.goto(`http://127.0.0.1:${running.port}/`)
  await page.waitForFunction('window.loaded')
  const connection = once(running.server, 'connection')
  const id = await page.evaluate(async (port) => {
    window.client = window.library.create({ hostname: '127.0.0.1', port, autoReconnect: false })
    return (await window.client.listener('connect').once()).id
  }, running.port)
  const { socket } = await connection
  assert.equal(socket.id, id)
  return { page, socket }
}

function inBrowser(name, options, body) {
  forEachTransport((transport) => {
    test(`${name} (${transport})`, { skip, timeout: 60000 }, async () => {
      const httpServer = http.createServer(pages)
      const running = await startServer({ httpServer, ...options, ...transportOption(transport) })
      const opened = []
      try {
        await body(running, async () => {
          const one = await open(running)
          opened.push(one.page)
          return one
        })
      } finally {
        for (const page of opened) await page.close()
        await running.stop()
      }
    })
  })
}

inBrowser('a page subscribes and publishes', {}, async (running, connect) => {
  const one = await connect()
  const two = await connect()
  const subscription = once(running.server, 'subscription')
  const received = one.page.evaluate(async () => {
    const list = []
    for await (const data of window.client.subscribe('news')) {
      if (list.push(data) === 50) return list
    }
  })
  assert.equal((await subscription).channel, 'news')
  await two.page.evaluate(async () => {
    for (let n = 0; n < 50; n++) await window.client.invokePublish('news', { n, text: 'grüße 🎉' })
  })
  const list = await within(received, '50 publications in the page')
  assert.deepEqual(
    list,
    Array.from({ length: 50 }, (_, n) => ({ n, text: 'grüße 🎉' })),
  )
})

inBrowser('a page calls the server and answers it', {}, async (running, connect) => {
  running.procedure('double', (request) => request.end(request.data * 2))
  const { page, socket } = await connect()
  assert.equal(await page.evaluate(() => window.client.invoke('double', 21)), 42)
  await page.evaluate(() => {
    ;(async () => {
      for await (const request of window.client.procedure('title')) request.end(document.title)
    })()
  })
  assert.equal(await socket.invoke('title'), 'client')
})

inBrowser('a page authenticates and is given a token', {}, async (running, connect) => {
  const { page, socket } = await connect()
  const token = jsonwebtoken.sign({ user: 'ann' }, AUTH_KEY)
  const status = await page.evaluate((each) => window.client.authenticate(each), token)
  assert.equal(status.isAuthenticated, true)
  assert.equal(socket.authToken.user, 'ann')
  const changed = page.evaluate(async () => {
    await window.client.listener('authenticate').once()
    return window.client.authToken.user
  })
  await page.evaluate(() => 'the evaluation before this one has begun')
  await socket.setAuthToken({ user: 'bob' })
  assert.equal(await changed, 'bob')
})

inBrowser(
  'a page reads compressed publications',
  { perMessageDeflate: true },
  async (running, connect) => {
    const { page, socket } = await connect()
    const subscription = once(running.server, 'subscription')
    const received = page.evaluate(() => window.client.subscribe('big').once())
    await subscription
    const words = 'the quick brown fox '.repeat(2000)
    await running.server.exchange.invokePublish('big', words)
    assert.equal(await received, words)
    assert.match(socket.request.headers['sec-websocket-extensions'], /permessage-deflate/)
  },
)

inBrowser('a page which is closed is a closed socket', {}, async (running, connect) => {
  const { page, socket } = await connect()
  const closed = once(socket, 'close')
  await page.close()
  assert.ok([1001, 1005, 1006].includes((await closed).code))
  await running.untilEmpty()
})
