'use strict'

/** Kinds of the records of `NativePool.drain()`, and how many fields follow each. */
const RECORD = {
  RESULT: 1,
  FAILED: 2,
  PROGRESS: 3,
  ROOM: 4,
  DONE: 5,
  TERMINATE: 6,
  ONLINE: 7,
  LOST: 8,
  DEMAND: 9,
  RETIRED: 10,
  TICK: 11,
}
const FIELDS = [0, 5, 3, 4, 1, 1, 2, 2, 2, 1, 1, 1]

module.exports = { RECORD, FIELDS }
