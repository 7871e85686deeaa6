'use strict'

const assert = require('node:assert/strict')
const { after, before, describe, test } = require('node:test')
const { collected, kept, quiet, startKept, temporaryDirectory } = require('./support')

const HOUR = 3_600_000

describe('the scheduler', () => {
  let running
  let exchange
  let scheduler

  before(async () => {
    running = await startKept()
    ;({ exchange, scheduler } = running.server)
  })
  after(() => running.stop())

  test('publishes once, at a time or after one', async () => {
    const channel = kept()
    const received = collected(exchange.subscribe(channel))
    const begin = Date.now()
    const when = begin + 30
    const at = await scheduler.at(new Date(when), { channel, data: { n: 2 } })
    const past = await scheduler.at(when - HOUR, { channel, data: { n: 1 } }, { id: 'past' })
    const later = await scheduler.after(60, { channel })
    assert.equal(at.due, when)
    assert.equal(past.id, 'past')
    assert.ok(later.due >= begin + 60)
    await received.count(3)
    assert.deepEqual(received.slice(), [{ n: 1 }, { n: 2 }, undefined])
    assert.ok(Date.now() >= later.due)
    assert.equal((await exchange.history(channel)).offset, 3)
  })

  test('publishes to plain channels, too', async () => {
    const received = collected(exchange.subscribe('plain'))
    const raw = await running.raw()
    await raw.subscribe('plain')
    await scheduler.after(1, { channel: 'plain', data: 'x' })
    await received.count(1)
    await raw.until(() => raw.published('plain').length === 1)
    assert.deepEqual(raw.events('#publish')[0].data, { channel: 'plain', data: 'x' })
  })

  test('publishes again and again until it is cancelled', async () => {
    const channel = kept()
    const received = collected(exchange.subscribe(channel))
    const start = Date.now() + 10
    const { id, due } = await scheduler.every(15, { channel, data: 'tick' }, { start })
    assert.equal(due, start)
    await received.count(3)
    assert.equal(await scheduler.cancel(id), true)
    const count = (await exchange.history(channel)).offset
    await quiet(50)
    assert.equal((await exchange.history(channel)).offset, count)
    assert.equal(await scheduler.cancel(id), false)
  })

  test('lists what is to come, by id', async () => {
    const due = Date.now() + HOUR
    await scheduler.at(due, { channel: 'b' }, { id: 'list/1' })
    await scheduler.every(HOUR, { channel: 'c' }, { id: 'list/3' })
    const zone = { id: 'list/2', timezone: 'Europe/Paris' }
    const cron = await scheduler.cron('0 12 * * *', { channel: 'a' }, zone)
    const { timers, more } = await scheduler.list()
    assert.equal(more, false)
    const [first, second, third] = timers
    assert.deepEqual(first, { id: 'list/1', channel: 'b', due, count: 0 })
    const { timezone } = zone
    assert.deepEqual(second, { ...cron, channel: 'a', cron: '0 12 * * *', timezone, count: 0 })
    assert.deepEqual([third.id, third.every], ['list/3', HOUR])
    const page = await scheduler.list({ limit: 1, after: 'list/1' })
    assert.deepEqual([page.timers[0].id, page.timers.length, page.more], ['list/2', 1, true])
    for (const { id } of timers) await scheduler.cancel(id)
    assert.deepEqual(await scheduler.list(), { timers: [], more: false })
  })

  test('an id that there is already is used for the new one', async () => {
    const due = Date.now() + HOUR
    await scheduler.at(due, { channel: 'a' }, { id: 'same' })
    await scheduler.at(due + 1, { channel: 'b' }, { id: 'same' })
    const { timers } = await scheduler.list()
    assert.deepEqual(timers, [{ id: 'same', channel: 'b', due: due + 1, count: 0 }])
    await scheduler.cancel('same')
  })

  test('a publish may be put off', async () => {
    const channel = kept()
    const received = collected(exchange.subscribe(channel))
    const at = Date.now() + 30
    const first = await exchange.invokePublish(channel, 'b', { at })
    const second = await exchange.invokePublish(channel, 'a', { delay: 1 })
    assert.equal(first.due, at)
    assert.notEqual(first.id, second.id)
    const cancelled = await exchange.invokePublish(channel, 'never', { delay: 40 })
    assert.equal(await scheduler.cancel(cancelled.id), true)
    await received.count(2)
    assert.deepEqual(received.slice(), ['a', 'b'])
  })

  const REFUSED = [
    ['no date', () => scheduler.at(new Date(NaN), { channel: 'a' }), 'ERR_BAD_SCHEDULE'],
    ['no time', () => scheduler.at(undefined, { channel: 'a' }), 'ERR_BAD_SCHEDULE'],
    ['a delay below 0', () => scheduler.after('1', { channel: 'a' }), 'ERR_BAD_SCHEDULE'],
    [
      'a time too late',
      () => scheduler.after(11 * 366 * 24 * HOUR, { channel: 'a' }),
      'ERR_BAD_SCHEDULE',
    ],
    ['no pause', () => scheduler.every(0, { channel: 'a' }), 'ERR_BAD_SCHEDULE'],
    ['no cron', () => scheduler.cron('whenever', { channel: 'a' }), 'ERR_BAD_CRON'],
    [
      'no timezone',
      () => scheduler.cron('* * * * *', { channel: 'a' }, { timezone: 'Moon' }),
      'ERR_BAD_CRON',
    ],
    ['no channel', () => scheduler.after(1, {}), 'ERR_BAD_REQUEST'],
  ]

  for (const [what, schedule, code] of REFUSED) {
    test(`${what} is refused`, async () => {
      await assert.rejects(schedule(), { name: 'StreamError', code })
    })
  }
})

test('timers survive a restart where there is storage', async (context) => {
  const storage = { directory: temporaryDirectory(context) }
  const first = await startKept({ storage })
  const due = Date.now() + HOUR
  await first.server.scheduler.at(due, { channel: 'a', data: 1 }, { id: 'kept' })
  await first.stop()
  const second = await startKept({ storage })
  const { timers } = await second.server.scheduler.list()
  assert.deepEqual(timers, [{ id: 'kept', channel: 'a', due, count: 0 }])
  await second.stop()
})
