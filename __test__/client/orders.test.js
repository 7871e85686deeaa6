'use strict'

const assert = require('node:assert/strict')
const { spawn } = require('node:child_process')
const { once } = require('node:events')
const fs = require('node:fs')
const net = require('node:net')
const path = require('node:path')
const { after, afterEach, before, beforeEach, describe, test } = require('node:test')
const { chromium } = require('playwright-core')
const { create } = require('../../client')
const { needsTool, once: onceEmitted, quiet, within } = require('../support')

const CHROMIUM = process.env.CHROMIUM_PATH || '/usr/bin/chromium'
const FLAGS = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking']
const SCRIPT = path.resolve(__dirname, '../../examples/orders/server.js')
const HOST = '127.0.0.1'
const skip = needsTool(fs.existsSync(CHROMIUM), `The browser tests need Chromium at ${CHROMIUM}`)

/** The example as a process of its own; resolves with its port. */
async function startExample(port = 0) {
  const env = { ...process.env, SOCKETCLUSTER_PORT: String(port) }
  const child = spawn(process.execPath, [SCRIPT], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  for await (const text of child.stdout) {
    output += text
    const match = /http:\/\/localhost:(\d+)/.exec(output)
    if (match) return { child, port: Number(match[1]) }
  }
  throw new Error(`The example ended: ${output}`)
}

async function stopExample({ child }) {
  const ended = once(child, 'exit')
  child.kill()
  assert.deepEqual(await within(ended, 'end of the example'), [0, null])
}

/** A network between the page and the server which can be cut. */
class Network {
  async open(to) {
    this.isCut = false
    this.sockets = new Set()
    this.server = net.createServer((socket) => this._connect(socket, to))
    this.server.listen(0, HOST)
    await once(this.server, 'listening')
    return this.server.address().port
  }

  _connect(socket, to) {
    if (this.isCut) return socket.destroy()
    const other = net.connect(to, HOST)
    for (const [from, into] of [
      [socket, other],
      [other, socket],
    ]) {
      this.sockets.add(from)
      from.pipe(into)
      from.on('error', () => into.destroy())
      from.on('close', () => {
        into.destroy()
        this.sockets.delete(from)
      })
    }
  }

  cut() {
    this.isCut = true
    for (const socket of this.sockets) socket.destroy()
  }

  mend() {
    this.isCut = false
  }

  close() {
    this.cut()
    this.server.close()
  }
}

describe('the orders example', { skip, timeout: 60000 }, () => {
  let browser
  let example
  let network
  let url
  let publisher
  let published

  before(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS, headless: true })
  })
  after(() => browser?.close())

  beforeEach(async () => {
    example = await startExample()
    network = new Network()
    url = `http://${HOST}:${await network.open(example.port)}/`
    publisher = create({ hostname: HOST, port: example.port, autoReconnectOptions: FAST })
    published = 0
  })
  afterEach(async () => {
    publisher.disconnect()
    for (const context of browser.contexts()) await context.close()
    network.close()
    await stopExample(example)
  })

  const FAST = { initialDelay: 10, randomness: 0 }

  async function open() {
    const context = await browser.newContext()
    const page = await context.newPage()
    await page.goto(url)
    await state(page, 'connected')
    return page
  }

  async function publish(count) {
    for (let n = 0; n < count; n++) {
      await publisher.invokePublish('orders/board', { text: `order ${++published}` })
    }
  }

  const state = (page, name) => page.waitForSelector(`#state[data-state="${name}"]`)
  const recovery = (page, told) => page.waitForSelector(`#recovery[data-recovered="${told}"]`)
  const present = (page, text) => page.waitForSelector(`#present:text-is("${text}")`)
  const notice = (page, text) => page.waitForSelector(`#notice:text("${text}")`)

  /** What the page lists, the oldest first, once it lists `count` orders. */
  async function list(page, count) {
    await page.waitForFunction((n) => document.querySelectorAll('#orders li').length >= n, count)
    const texts = await page.$$eval('#orders li span', (spans) => spans.map((s) => s.textContent))
    return texts.toReversed()
  }

  const ordersUpTo = (count) => Array.from({ length: count }, (_, n) => `order ${n + 1}`)

  test('a new page lists what there is, and who is here', async () => {
    await publish(3)
    const one = await open()
    assert.deepEqual(await list(one, 3), ordersUpTo(3))
    await present(one, 'only you here')
    const two = await open()
    await present(one, '2 here')
    await present(two, '2 here')
    await two.close()
    await present(one, 'only you here')
  })

  test('a page that is reloaded while orders come in misses none', async () => {
    const page = await open()
    const stop = new AbortController()
    const publishing = (async () => {
      for (; !stop.signal.aborted; await quiet(5)) await publish(1)
    })()
    await list(page, 1)
    for (let n = 0; n < 4; n++) {
      await page.reload()
      await recovery(page, true)
    }
    stop.abort()
    await publishing
    await page.waitForSelector(`#orders li span:text-is("order ${published}")`)
    assert.deepEqual(await list(page, 1), ordersUpTo(published).slice(-100))
  })

  test('a page that was away misses none', async () => {
    const context = await browser.newContext()
    const page = await context.newPage()
    await page.goto(url)
    await publish(5)
    await list(page, 5)
    await page.close()
    await publish(5)
    const again = await context.newPage()
    await again.goto(url)
    await recovery(again, true)
    assert.deepEqual(await list(again, 10), ordersUpTo(10))
  })

  test('a page whose network was cut misses none', async () => {
    const page = await open()
    await publish(5)
    await list(page, 5)
    network.cut()
    await state(page, 'disconnected')
    await publish(20)
    network.mend()
    await recovery(page, true)
    await publish(1)
    assert.deepEqual(await list(page, 26), ordersUpTo(26))
  })

  test('a page says so when it cannot recover', async () => {
    const page = await open()
    await publish(5)
    await list(page, 5)
    network.cut()
    await state(page, 'disconnected')
    // What was kept in memory ends with the process.
    const closed = onceEmitted(publisher, 'close')
    await stopExample(example)
    await closed
    example = await startExample(example.port)
    await onceEmitted(publisher, 'connect')
    await publisher.invokePublish('orders/board', { text: 'after' })
    network.mend()
    await recovery(page, false)
    await page.waitForFunction(() => document.querySelectorAll('#orders li').length === 1)
    assert.deepEqual(await list(page, 1), ['after'])
  })

  test('a double click orders once', async () => {
    const page = await open()
    await page.fill('input', 'tea')
    await page.dblclick('button:text-is("Order")')
    await notice(page, 'rdered as #1')
    await page.fill('input', 'cake')
    await page.click('button:text-is("Order")')
    assert.deepEqual(await list(page, 2), ['tea', 'cake'])
  })

  test('an order for later comes later, and once', async () => {
    const page = await open()
    await page.$eval('button[name="delay"]', (button) => (button.value = '300'))
    await page.fill('input', 'tea')
    await page.dblclick('button[name="delay"]')
    await notice(page, 'Ordered for')
    await publish(1)
    assert.deepEqual(await list(page, 2), ['order 1', 'tea'])
    await page.fill('input', 'cake')
    await page.click('button:text-is("Order")')
    assert.deepEqual(await list(page, 3), ['order 1', 'tea', 'cake'])
  })

  test('an order that is refused is said to be', async () => {
    const page = await open()
    await page.fill('input', '   ')
    await page.click('button:text-is("Order")')
    await notice(page, 'An order has 1 to 200 characters')
  })
})
