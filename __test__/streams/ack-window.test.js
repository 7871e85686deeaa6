'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const AckWindow = require('../../lib/streams/ack-window')

const place = (offset, epoch = 'e') => ({ epoch, offset })

test('the position is the highest below which everything is done', () => {
  const window = new AckWindow(place(0))
  const places = [1, 2, 3, 4].map((offset) => place(offset))
  for (const each of places) window.begin(each)
  const positions = [2, 0, 3, 1].map((index) => {
    window.done(places[index])
    return [window.position.offset, window.size]
  })
  assert.deepEqual(positions, [
    [0, 4],
    [1, 3],
    [1, 3],
    [4, 0],
  ])
})

test('a gap is passed when everything before it is done', () => {
  const window = new AckWindow(place(0))
  const first = place(1)
  window.begin(first)
  window.skipTo(place(7, 'f'))
  assert.deepEqual(window.position, place(0))
  window.done(first)
  assert.deepEqual(window.position, place(7, 'f'))
})
