'use strict'

// The kinds of frames of the link, and what both ends agree on besides. The same table is in
// src/engine/link/kind.rs.

const TAGS = require('../values/tags.js')

/** The WebSocket subprotocol, RFC 6455 section 1.9. */
const SUBPROTOCOL = 'es-networkcluster.v1'

/** Where the link lives: `/es-networkcluster/v1/{role}/{name percent-encoded}`. */
const PATH = '/es-networkcluster/v1/'

/** Longest frame either side takes: a value of 256 MiB and what is around it. */
const MAX_FRAME = 256 * 1024 * 1024 + 64 * 1024

/** First byte of a frame. A frame is `kind u8 | id u32 | body`, an answer has the id of its request. */
const KINDS = Object.freeze({
  HELLO: 0x01,
  PROOF: 0x02,
  GET: 0x10,
  COMMIT: 0x11,
  INCREMENT: 0x12,
  SCAN: 0x13,
  LOCK: 0x14,
  UNLOCK: 0x15,
  CANCEL: 0x16,
  WATCH: 0x17,
  UNWATCH: 0x18,
  RUN_ON_KEY: 0x19,
  STATS: 0x1a,
  RENEW: 0x1b,
  PAUSE: 0x1c,
  WITH_MEMORY: 0x1f,
  SUBSCRIBE: 0x20,
  UNSUBSCRIBE: 0x21,
  EMIT: 0x22,
  DONE: 0x31,
  FAILED: 0x32,
  PROGRESS: 0x33,
  FUNCTION: 0x34,
  TAKE: 0x35,
  CHANGES: 0x40,
  EVENTS: 0x41,
  CHUNK: 0x42,
  CANCELLED: 0x43,
  CONTROL: 0x44,
  ANSWER: 0x80,
})

/** Close codes of the link (RFC 6455 section 7.4.2: 4000–4999 are an application's). */
const CLOSE = Object.freeze({
  REFUSED: 4401,
  NO_HELLO: 4402,
  MALFORMED: 4403,
  NOT_HERE: 4404,
  SLOW: 4408,
  DEAD: 4409,
})

module.exports = { SUBPROTOCOL, PATH, MAX_FRAME, KINDS, TAGS, CLOSE }
