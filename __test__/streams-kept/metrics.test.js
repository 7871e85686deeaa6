'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { HOST, kept, startKept, temporaryDirectory } = require('./support')

const scrape = async (port) => (await fetch(`http://${HOST}:${port}/metrics`)).text()
const figure = (text, name) =>
  Number(new RegExp(`^es_networkcluster_${name}{[^}]*} (.*)$`, 'm').exec(text)[1])

test('streams have figures', async (context) => {
  const directory = temporaryDirectory(context)
  const running = await startKept({ storage: { directory }, metricsPath: '/metrics' })
  const { server, port } = running
  const channel = kept()
  for (const data of ['a', 'b']) await server.exchange.invokePublish(channel, data)
  await server.scheduler.after(3_600_000, { channel })
  const raw = await running.raw()
  await raw.subscribe(kept('seen'))

  const { storage, ...streams } = server.metrics().streams
  const { channels, messages, timers, members } = streams
  assert.deepEqual([channels, messages, timers, members], [2, 2, 1, 1])
  assert.ok(streams.bytes >= 6 && streams.memory > streams.bytes)
  assert.ok(storage.bytes > 0 && storage.segments >= 1 && storage.syncs >= 1)
  assert.equal(storage.failed, false)

  const text = await scrape(port)
  assert.equal(figure(text, 'kept_messages'), 2)
  assert.equal(figure(text, 'timers'), 1)
  assert.equal(figure(text, 'storage_failed'), 0)
  assert.ok(figure(text, 'storage_syncs_total') >= 1)
  await running.stop()
})

test('without streams there are none', async () => {
  const running = await startKept({ streams: undefined, metricsPath: '/metrics' })
  assert.equal('streams' in running.server.metrics(), false)
  assert.doesNotMatch(await scrape(running.port), /kept|storage|timers/)
  await running.stop()
})
