'use strict'

const assert = require('node:assert/strict')
const { beforeEach, describe, test } = require('node:test')
const { MAX_HELD, Track } = require('../../lib/client/track')
const { eventually } = require('../support/events')

const at = (offset, epoch = 'a') => ({ epoch, offset })

describe('a track', () => {
  let delivered
  let reports
  let fetches
  let track

  beforeEach(() => {
    delivered = []
    reports = []
    fetches = []
    track = new Track({
      deliver: ({ epoch, offset }) => void delivered.push(`${epoch}${offset}`),
      report: (recovered, position) => void reports.push({ recovered, ...position }),
      fetch: (request) =>
        new Promise((resolve, reject) => fetches.push({ request, resolve, reject })),
    })
  })

  function subscribe(answer) {
    const since = track.resume()
    track.answered(answer)
    return since
  }

  function receive(...offsets) {
    for (const offset of offsets) track.receive(at(offset))
  }

  const asked = () => eventually(() => fetches.length > 0, 'a question for history')

  /** Answers the oldest question for history. */
  async function answer(offsets, epoch = 'a') {
    await asked()
    fetches.shift().resolve({ epoch, offset: 0, messages: offsets.map((offset) => ({ offset })) })
    await new Promise(setImmediate)
  }

  async function fail() {
    await asked()
    fetches.shift().reject(new Error('ERR_POSITION_LOST'))
    await new Promise(setImmediate)
  }

  test('begins where the subscription does', () => {
    assert.equal(subscribe(at(7)), undefined)
    assert.deepEqual(track.position, at(7))
    receive(7, 8)
    assert.deepEqual(delivered, ['a8'])
    assert.equal(track.recovered, undefined)
    assert.deepEqual(reports, [])
  })

  test('begins with the first message where the answer has no position', () => {
    subscribe(undefined)
    receive(7, 8)
    assert.deepEqual(delivered, ['a7', 'a8'])
  })

  test('resumes behind the last message', () => {
    subscribe(at(7))
    receive(8)
    track.suspend()
    assert.deepEqual(subscribe({ ...at(10), recovered: true }), at(8))
    assert.equal(track.recovered, undefined)
    receive(9)
    assert.deepEqual(reports, [])
    receive(10, 11)
    assert.deepEqual(delivered, ['a8', 'a9', 'a10', 'a11'])
    assert.deepEqual(reports, [{ recovered: true, ...at(10) }])
    assert.equal(track.recovered, true)
    track.suspend()
    track.resume()
    assert.equal(track.recovered, undefined)
  })

  test('reports at once if nothing was missed', () => {
    track.startFrom(at(0))
    subscribe({ ...at(0), recovered: true })
    assert.deepEqual(reports, [{ recovered: true, ...at(0) }])
  })

  test('goes on at the head when it cannot recover', () => {
    track.startFrom(at(3))
    subscribe({ ...at(2, 'b'), recovered: false })
    assert.deepEqual(reports, [{ recovered: false, ...at(2, 'b') }])
    receive(4)
    track.receive(at(3, 'b'))
    assert.deepEqual(delivered, ['b3'])
  })

  test('does not believe a recovery from another place', () => {
    track.startFrom(at(3))
    subscribe({ ...at(9, 'b'), recovered: true })
    track.suspend()
    track.startFrom(at(3))
    subscribe({ ...at(2), recovered: true })
    assert.deepEqual(reports, [
      { recovered: false, ...at(9, 'b') },
      { recovered: false, ...at(2) },
    ])
  })

  test('forgets the position where the channel is not kept', () => {
    track.startFrom(at(3))
    subscribe(undefined)
    assert.deepEqual(reports, [{ recovered: false }])
    track.suspend()
    assert.equal(track.resume(), undefined)
  })

  test('sends a malformed position for the server to refuse, and only once', () => {
    track.startFrom({ epoch: 1 })
    assert.deepEqual(subscribe({ recovered: false }), { epoch: 1 })
    assert.equal(track.resume(), undefined)
  })

  test('fills a gap and holds back what arrives meanwhile', async () => {
    subscribe(at(1))
    receive(5, 6, 5, 8)
    assert.deepEqual(delivered, [])
    assert.deepEqual(fetches[0].request, { since: at(1), limit: 3 })
    await answer([2, 3, 4])
    assert.deepEqual(delivered, ['a2', 'a3', 'a4', 'a5', 'a6'])
    assert.deepEqual(reports, [])
    await asked()
    assert.deepEqual(fetches[0].request, { since: at(6), limit: 1 })
    await answer([7])
    receive(9)
    assert.deepEqual(delivered.slice(5), ['a7', 'a8', 'a9'])
    assert.deepEqual(reports, [{ recovered: true, ...at(8) }])
    assert.equal(fetches.length, 0)
  })

  test('asks again as long as that brings something', async () => {
    subscribe(at(0))
    receive(5)
    await answer([1, 2])
    await answer([3, 4])
    assert.deepEqual(delivered, ['a1', 'a2', 'a3', 'a4', 'a5'])
  })

  test('reports a gap that cannot be filled and goes on behind it', async () => {
    subscribe(at(1))
    receive(5, 6)
    await fail()
    receive(7)
    assert.deepEqual(delivered, ['a5', 'a6', 'a7'])
    assert.deepEqual(reports, [{ recovered: false, ...at(4) }])
    assert.equal(fetches.length, 0)
  })

  for (const [name, reply] of [
    ['nothing', undefined],
    ['no list', { epoch: 'a', messages: {} }],
    ['a list of nonsense', { epoch: 'a', messages: [null, 1, { offset: '2' }, { offset: NaN }] }],
    ['another epoch', { epoch: 'b', messages: [{ offset: 2 }] }],
  ]) {
    test(`survives an answer with ${name}`, async () => {
      subscribe(at(1))
      receive(5)
      fetches.shift().resolve(reply)
      await new Promise(setImmediate)
      assert.deepEqual(delivered, ['a5'])
      assert.deepEqual(reports, [{ recovered: false, ...at(4) }])
    })
  }

  test('fetches what there was no room for', async () => {
    subscribe(at(0))
    const last = MAX_HELD + 51
    for (let offset = 2; offset <= last; offset++) receive(offset)
    await answer([1])
    assert.equal(delivered.length, MAX_HELD + 1)
    await asked()
    assert.deepEqual(fetches[0].request, { since: at(MAX_HELD + 1), limit: 50 })
    await answer(Array.from({ length: 50 }, (_, n) => MAX_HELD + 2 + n))
    assert.equal(delivered.length, last)
    assert.deepEqual(reports, [{ recovered: true, ...at(last) }])
  })

  test('holds no duplicates back', async () => {
    subscribe(at(1))
    receive(5)
    for (let n = 0; n <= MAX_HELD; n++) receive(1)
    receive(6)
    await answer([2, 3, 4])
    assert.equal(delivered.at(-1), 'a6')
    assert.equal(fetches.length, 0)
  })

  test('what there was no room for is gone with its epoch', async () => {
    subscribe(at(0))
    track.receive(at(2))
    track.receive(at(7, 'b'))
    for (let n = 0; n <= MAX_HELD; n++) receive(900 + n)
    await fail()
    track.receive(at(8, 'b'))
    assert.deepEqual(delivered, ['a2', 'b7', 'b8'])
    assert.equal(fetches.length, 0)
  })

  test('reports if that is gone too', async () => {
    subscribe(at(0))
    for (let offset = 2; offset <= MAX_HELD + 51; offset++) receive(offset)
    await answer([1])
    await fail()
    assert.deepEqual(reports, [{ recovered: false, ...at(MAX_HELD + 51) }])
    receive(MAX_HELD + 52)
    assert.equal(delivered.at(-1), `a${MAX_HELD + 52}`)
  })

  test('does not go on from a position that messages without one have followed', () => {
    subscribe(at(7))
    receive(8)
    track.receiveUnplaced()
    assert.equal(track.position, undefined)
    receive(12, 13)
    assert.deepEqual(track.position, at(13))
    track.receiveUnplaced()
    track.suspend()
    assert.equal(track.resume(), undefined)
    assert.deepEqual(delivered, ['a8', 'a12', 'a13'])
    assert.deepEqual(reports, [])
  })

  test('keeps what is under way in spite of such messages', async () => {
    track.startFrom(at(3))
    track.resume()
    track.receiveUnplaced()
    track.answered({ ...at(9), recovered: true })
    receive(6)
    track.receiveUnplaced()
    receive(7)
    await answer([4, 5])
    receive(8, 9)
    assert.deepEqual(delivered, ['a4', 'a5', 'a6', 'a7', 'a8', 'a9'])
    assert.deepEqual(reports, [{ recovered: true, ...at(9) }])
  })

  test('reports a new epoch, and takes nothing more of the old one', () => {
    subscribe(at(7))
    track.receive(at(3, 'b'))
    receive(8, 9)
    track.receive(at(4, 'b'))
    assert.deepEqual(delivered, ['b3', 'b4'])
    assert.deepEqual(reports, [{ recovered: false, ...at(2, 'b') }])
  })

  test('meets a new epoch while it fills a gap', async () => {
    subscribe(at(1))
    receive(5)
    track.receive(at(1, 'b'))
    await answer([2, 3, 4])
    receive(6)
    track.receive(at(2, 'b'))
    assert.deepEqual(delivered, ['a2', 'a3', 'a4', 'a5', 'b1', 'b2'])
    assert.deepEqual(reports, [
      { recovered: true, ...at(5) },
      { recovered: false, ...at(0, 'b') },
    ])
  })

  test('ignores an answer that comes after the connection', async () => {
    subscribe(at(1))
    receive(5)
    track.suspend()
    assert.deepEqual(subscribe({ ...at(5), recovered: true }), at(1))
    await answer([2, 3, 4])
    assert.deepEqual(delivered, [])
    receive(2, 3, 4, 5)
    assert.deepEqual(delivered, ['a2', 'a3', 'a4', 'a5'])
    assert.deepEqual(reports, [{ recovered: true, ...at(5) }])
  })

  /** Answers the oldest question as a server does that keeps some offsets from this client. */
  async function answerWithout(withheld, until, more = true) {
    await asked()
    const { resolve, request } = fetches.shift()
    const messages = []
    for (let offset = request.since.offset + 1; offset <= until; offset++) {
      if (!withheld(offset)) messages.push({ offset })
    }
    resolve({ epoch: 'a', offset: until, messages, more, until })
    await new Promise(setImmediate)
  }

  const even = (offset) => offset % 2 === 0

  test('goes on behind what an answer leaves out', async () => {
    subscribe(at(0))
    receive(6, 7)
    await answer([2, 4])
    assert.deepEqual(delivered, ['a2', 'a4'])
    assert.deepEqual(fetches[0].request, { since: at(4), limit: 1 })
    await answerWithout(() => true, 5)
    assert.deepEqual(delivered, ['a2', 'a4', 'a6', 'a7'])
    assert.deepEqual(reports, [{ recovered: true, ...at(7) }])
    receive(8)
    assert.equal(fetches.length, 0)
  })

  test('believes an answer without further messages up to the head', async () => {
    subscribe(at(0))
    receive(3)
    await asked()
    fetches.shift().resolve({ epoch: 'a', offset: 4, messages: [{ offset: 1 }], more: false })
    await new Promise(setImmediate)
    receive(4, 5)
    assert.deepEqual(delivered, ['a1', 'a3', 'a5'])
    assert.deepEqual(reports, [{ recovered: true, ...at(3) }])
  })

  test('hands over what it holds although the history lacks it', async () => {
    subscribe(at(0))
    receive(2, 4, 3, 6)
    await answerWithout((offset) => offset < 5, 5)
    assert.deepEqual(delivered, ['a2', 'a3', 'a4', 'a5', 'a6'])
    assert.deepEqual(reports, [{ recovered: true, ...at(6) }])
  })

  test('asks once for all gaps that it knows, and reports each that stays', async () => {
    subscribe(at(0))
    receive(2)
    await answerWithout(even, 1)
    receive(5, 7, 8)
    await asked()
    assert.deepEqual(fetches[0].request, { since: at(2), limit: 4 })
    await fail()
    assert.deepEqual(delivered, ['a1', 'a2', 'a5', 'a7', 'a8'])
    assert.deepEqual(reports.slice(1), [
      { recovered: false, ...at(4) },
      { recovered: false, ...at(6) },
    ])
    assert.equal(fetches.length, 0)
  })

  test('asks ever less often while every second message is kept from it', async (context) => {
    context.mock.timers.enable({ apis: ['setTimeout', 'Date'] })
    subscribe(at(0))
    let last = 0
    const times = []
    for (let ms = 0; ms < 10000; ms += 10) {
      last += 2
      receive(last - 1)
      if (fetches.length > 0) {
        assert.equal(fetches.length, 1)
        times.push(ms)
        const { request, resolve } = fetches.shift()
        const until = Math.min(request.since.offset + request.limit, last)
        const odd = Array.from({ length: until }, (_, n) => n + 1).filter((n) => !even(n))
        const messages = odd.filter((n) => n > request.since.offset).map((offset) => ({ offset }))
        resolve({ epoch: 'a', offset: last, messages, more: until < last, until })
      }
      for (let n = 0; n < 10; n++) await Promise.resolve()
      context.mock.timers.tick(10)
      for (let n = 0; n < 10; n++) await Promise.resolve()
    }
    assert.ok(times.length <= 10, `asked at ${times}`)
    assert.deepEqual(
      delivered,
      delivered.map((_, n) => `a${2 * n + 1}`),
    )
    assert.ok(delivered.length > 700)
    assert.ok(reports.every(({ recovered }) => recovered))
    // A quiet time later it asks at once again.
    context.mock.timers.tick(20000)
    for (let n = 0; n < 50; n++) await Promise.resolve()
    fetches.length = 0
    track.suspend()
    subscribe({ ...at(last), recovered: false })
    context.mock.timers.tick(20000)
    receive(last + 2)
    assert.equal(fetches.length, 1)
  })

  test('asks for the end of what is replayed if that does not come', async (context) => {
    context.mock.timers.enable({ apis: ['setTimeout', 'Date'] })
    track.startFrom(at(0))
    subscribe({ ...at(4), recovered: true })
    receive(1)
    context.mock.timers.tick(1000)
    assert.equal(fetches.length, 0)
    context.mock.timers.tick(1000)
    assert.deepEqual(fetches[0].request, { since: at(1), limit: 3 })
    const { resolve } = fetches.shift()
    resolve({ epoch: 'a', offset: 4, messages: [{ offset: 3 }], more: false, until: 4 })
    await new Promise(setImmediate)
    assert.deepEqual(delivered, ['a1', 'a3'])
    assert.deepEqual(reports, [{ recovered: true, ...at(4) }])
    receive(4, 5)
    assert.deepEqual(delivered, ['a1', 'a3', 'a5'])
  })

  test('waits for the replay where the history cannot be had', async (context) => {
    context.mock.timers.enable({ apis: ['setTimeout', 'Date'] })
    track.startFrom(at(0))
    subscribe({ ...at(2), recovered: true })
    context.mock.timers.tick(1000)
    fetches.shift().reject(new Error('refused'))
    await new Promise(setImmediate)
    receive(1, 2)
    assert.deepEqual(delivered, ['a1', 'a2'])
    assert.deepEqual(reports, [{ recovered: true, ...at(2) }])
    context.mock.timers.tick(5000)
    assert.equal(fetches.length, 0)
  })

  test('fills a gap in what is replayed', async () => {
    track.startFrom(at(0))
    subscribe({ ...at(6), recovered: true })
    receive(1, 4)
    await answer([2, 3])
    receive(5)
    assert.deepEqual(reports, [])
    receive(6)
    assert.deepEqual(delivered, ['a1', 'a2', 'a3', 'a4', 'a5', 'a6'])
    assert.deepEqual(reports, [{ recovered: true, ...at(6) }])
  })
})
