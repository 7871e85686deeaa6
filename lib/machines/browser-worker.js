// A worker in a web page: connects to a manager over a WebSocket and runs functions that the page has
// registered, by name. It is never sent code, and evaluates none.
//
// Complete in itself: as a classic script, in a web worker (importScripts) or as a module it sets
// `globalThis.BrowserWorker`; with a bundler `require` gives { BrowserWorker }. The frames are those of
// lib/link, of which it knows the few that it needs; numbers are little endian. How it and the manager
// prove to each other that they know the token is told in docs/design/link.md.

/* global WebSocket, globalThis */
;(function (root, factory) {
  if (typeof module === 'object' && module.exports) module.exports = factory()
  else Object.assign(root, factory())
})(globalThis, function () {
  'use strict'

  const SUBPROTOCOL = 'es-networkcluster.v1'
  const PATH = '/es-networkcluster/v1/worker/'
  const HELLO = 0x01
  const PROOF = 0x02
  const DONE = 0x31
  const FAILED = 0x32
  const PROGRESS = 0x33
  const CHUNK = 0x42
  const CANCELLED = 0x43
  const ANSWER = 0x80

  const UNDEFINED = 7
  const JSON8 = 8
  const JSON16 = 9
  const BYTES = 11
  const NUMBERS = 12

  /** The manager does not want this worker. */
  const REFUSED = 4401
  /** Bytes of a random number, of which each side has one. */
  const NONCE = 32
  /** Ids of the frames that are answered. */
  const HELLO_ID = 1
  const PROOF_ID = 2
  /** Ms until both sides know each other. */
  const GREETING = 5000
  const FIRST_PAUSE = 100
  const LONGEST_PAUSE = 5000
  /** Deepest value that is sent. */
  const DEEPEST = 64
  const LONGEST_TEXT = 65536

  const encoder = new TextEncoder()
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

  class Reader {
    #bytes
    #view
    #at = 0
    tag = 0

    constructor(buffer) {
      this.#bytes = new Uint8Array(buffer)
      this.#view = new DataView(buffer)
    }

    u8() {
      return this.#bytes[this.#take(1)]
    }

    u16() {
      return this.#view.getUint16(this.#take(2), true)
    }

    u32() {
      return this.#view.getUint32(this.#take(4), true)
    }

    str() {
      return decoder.decode(this.#slice(this.u32()))
    }

    /** The items of a block. */
    items() {
      const tag = this.u8()
      const bytes = this.#slice(this.u32())
      if (tag === NUMBERS) return Array.from(new Float64Array(bytes.buffer))
      if (tag === JSON8) return JSON.parse(textOf(bytes))
      if (tag === JSON16) return JSON.parse(textOf(new Uint16Array(bytes.buffer)))
      throw new RangeError(`items of the kind ${tag}`)
    }

    /** What is left. */
    rest() {
      return this.#slice(this.#bytes.length - this.#at)
    }

    /** A copy, which starts where numbers may. */
    #slice(length) {
      const at = this.#take(length)
      return this.#bytes.slice(at, at + length)
    }

    #take(size) {
      const at = this.#at
      if (size > this.#bytes.length - at) throw new RangeError('the frame ends early')
      this.#at = at + size
      return at
    }
  }

  /** Text of one unit each. */
  function textOf(units) {
    let text = ''
    for (let at = 0; at < units.length; at += 8192) {
      text += String.fromCharCode.apply(null, units.subarray(at, at + 8192))
    }
    return text
  }

  /** A frame, from numbers of some bytes and from bytes. */
  function frame(kind, id, fields) {
    let size = 5
    for (const [width, value] of fields) size += width || value.length
    const bytes = new Uint8Array(size)
    const view = new DataView(bytes.buffer)
    bytes[0] = kind
    view.setUint32(1, id, true)
    let at = 5
    for (const [width, value] of fields) {
      if (width === 1) bytes[at] = value
      else if (width === 4) view.setUint32(at, value, true)
      else bytes.set(value, at)
      at += width || value.length
    }
    return bytes
  }

  function text(string) {
    const bytes = encoder.encode(string)
    return [
      [4, bytes.length],
      [0, bytes],
    ]
  }

  function valueFields({ tag, bytes }) {
    return [
      [1, tag],
      [4, bytes.length],
      [0, bytes],
    ]
  }

  /**
   * Compares a manager's proof, and makes the own one: HMAC-SHA256 of whose it is and of both numbers.
   * @param {string} token
   * @param {Uint8Array} nonce the own number
   * @param {Uint8Array} answer the manager's number and its proof
   * @returns {Promise<Uint8Array | null>} null: the manager does not know the token
   */
  async function prove(token, nonce, answer) {
    const { subtle } = crypto
    const hmac = { name: 'HMAC', hash: 'SHA-256' }
    const key = await subtle.importKey('raw', encoder.encode(token), hmac, false, [
      'sign',
      'verify',
    ])
    const numbers = [...nonce, ...answer.subarray(0, NONCE)]
    const of = (side) =>
      Uint8Array.from([...encoder.encode(`${SUBPROTOCOL} ${side} worker\0`), ...numbers])
    const isKnown = await subtle.verify('HMAC', key, answer.subarray(NONCE), of('server'))
    return isKnown ? new Uint8Array(await subtle.sign('HMAC', key, of('client'))) : null
  }

  /** What a chunk's results are sent as. `at` of the error: which one cannot be sent. */
  function encodeResults(results) {
    if (results.every((result) => typeof result === 'number')) {
      return { tag: NUMBERS, bytes: new Uint8Array(Float64Array.from(results).buffer) }
    }
    results.forEach((result, at) => {
      const path = unplain(result, 0)
      if (path !== undefined) throw Object.assign(new TypeError(path), { at, isResult: true })
    })
    const json = JSON.stringify(results)
    const units = new Uint16Array(json.length)
    let isWide = false
    for (let at = 0; at < json.length; at++) {
      units[at] = json.charCodeAt(at)
      isWide ||= units[at] > 255
    }
    if (isWide) return { tag: JSON16, bytes: new Uint8Array(units.buffer) }
    return { tag: JSON8, bytes: Uint8Array.from(units) }
  }

  /** Why a value would not arrive as it is, if so. */
  function unplain(value, depth) {
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return undefined
    if (typeof value === 'number') {
      return Number.isFinite(value) && !Object.is(value, -0) ? undefined : `it contains ${value}`
    }
    if (typeof value !== 'object') return `it contains a value of the type ${typeof value}`
    if (depth >= DEEPEST) return `it has more than ${DEEPEST} levels`
    const prototype = Object.getPrototypeOf(value)
    const isPlain = Array.isArray(value) || prototype === Object.prototype || prototype === null
    if (!isPlain || typeof value.toJSON === 'function') return 'it contains an object of a class'
    for (const each of Array.isArray(value) ? value : Object.values(value)) {
      const path = unplain(each, depth + 1)
      if (path !== undefined) return path
    }
    return undefined
  }

  /** What functions get behind their argument. */
  class Context {
    #worker
    #lease

    constructor(worker, lease, index, attempt) {
      this.#worker = worker
      this.#lease = lease
      this.index = index
      this.attempt = attempt + 1
      this.workerId = worker.id
      this.signal = lease.controller.signal
    }

    progress(value) {
      if (this.signal.aborted) return
      const fields = [[4, this.#lease.id], [4, this.index], ...valueFields(encodeResults([value]))]
      this.#worker._send(PROGRESS, fields)
    }
  }

  /** What items become, by the kind of job, as results that are sent. */
  const KINDS = {
    map: (results) => encodeResults(results),
    call: (results) => encodeResults(results),
    flatMap: (results) => encodeResults(results.flatMap((each) => Array.from(each))),
    forEach: () => ({ tag: UNDEFINED, bytes: new Uint8Array() }),
    filter: (results) => ({
      tag: BYTES,
      bytes: Uint8Array.from(results, (each) => (each ? 1 : 0)),
    }),
  }

  class BrowserWorker {
    #url
    #token
    #functions
    #concurrency
    #listener
    #socket = null
    #leases = new Map()
    #pause = FIRST_PAUSE
    #timer
    #closed = false
    #isOpen = false
    /** The number of this connection; empty without a token. */
    #nonce = new Uint8Array()
    /** Id of the frame that is to be answered; 0 for none. */
    #awaited = 0
    #late

    /**
     * @param {object} options
     * @param {string} options.connect the manager's address: ws: or http: and a port
     * @param {string} [options.token] as the manager has it. It is not sent: both sides prove that they know
     *   it, which needs a page that is a secure context, as those of https: and of this computer are
     * @param {Record<string, Function>} options.functions what it can be told to run: by run() with their
     *   arguments
     * @param {number} [options.concurrency] items at once, for functions that wait; 1 unless told
     * @param {(state: 'open' | 'lost' | 'refused') => void} [options.onState] 'refused', once: one side does
     *   not know the token of the other
     * @throws {TypeError} there is a token, and it is empty or the page is no secure context
     */
    constructor({ connect, token, functions, concurrency = 1, onState = () => {} }) {
      if (token === '') throw new TypeError('the token is empty')
      if (token !== undefined && !crypto.subtle)
        throw new TypeError('a token needs a secure context')
      const url = new URL(connect)
      this.#url = `${url.protocol.replace('http', 'ws')}//${url.host}${PATH}`
      this.#token = token
      this.#functions = new Map(Object.entries(functions))
      this.#concurrency = concurrency
      this.#listener = onState
      this.id = randomId()
      this.#connect()
    }

    /** Whether the manager has let it in. */
    get isOpen() {
      return this.#isOpen
    }

    /** Ends it. What it has is done by others. May be called again. */
    close() {
      this.#closed = true
      clearTimeout(this.#timer)
      if (this.#socket) this.#socket.close()
      this.#drop()
    }

    #connect() {
      const socket = new WebSocket(this.#url, SUBPROTOCOL)
      this.#socket = socket
      socket.binaryType = 'arraybuffer'
      socket.addEventListener('open', () => this.#hello())
      socket.addEventListener('message', ({ data }) => {
        this.#safely(() => this.#onFrame(new Reader(data)))
      })
      socket.addEventListener('close', ({ code }) => this.#lost(code))
      this.#late = setTimeout(() => socket.close(), GREETING)
    }

    #hello() {
      const worker = {
        id: this.id,
        concurrency: this.#concurrency,
        code: false,
        encodings: ['json', 'numbers'],
        functions: [...this.#functions.keys()],
        kind: 'browser',
      }
      const size = this.#token === undefined ? 0 : NONCE
      this.#nonce = crypto.getRandomValues(new Uint8Array(size))
      this.#awaited = HELLO_ID
      const hello = text(JSON.stringify({ role: 'worker', name: '', worker }))
      this._send(HELLO, [...hello, [0, this.#nonce]], HELLO_ID)
    }

    #lost(code) {
      this.#drop()
      this.#socket = null
      if (this.#closed) return
      if (code === REFUSED) {
        this.#refused()
        return
      }
      this.#listener('lost')
      this.#timer = setTimeout(() => this.#connect(), Math.random() * this.#pause)
      this.#pause = Math.min(LONGEST_PAUSE, this.#pause * 2)
    }

    #refused() {
      this.#closed = true
      if (this.#socket) this.#socket.close(REFUSED)
      this.#drop()
      this.#listener('refused')
    }

    #drop() {
      clearTimeout(this.#late)
      this.#isOpen = false
      this.#awaited = 0
      for (const { controller } of this.#leases.values()) controller.abort()
      this.#leases.clear()
    }

    /** A frame that makes no sense ends the connection, not the page. */
    #safely(work) {
      try {
        work()
      } catch {
        if (this.#socket) this.#socket.close()
      }
    }

    #onFrame(reader) {
      const kind = reader.u8()
      const id = reader.u32()
      if (!this.#isOpen) this.#onAnswer(kind, id, reader)
      else if (kind === CHUNK) this.#onChunk(reader)
      else if (kind === CANCELLED) this.#onCancelled(reader.u32())
    }

    /** Before it is open, nothing else is listened to: who is there has yet to prove who it is. */
    #onAnswer(kind, id, reader) {
      if (kind !== ANSWER || id !== this.#awaited) throw new RangeError('no answer')
      this.#awaited = 0
      if (reader.u8() !== 0) this.#socket.close()
      else if (id === HELLO_ID && this.#token !== undefined) void this.#prove(reader.rest())
      else this.#welcome()
    }

    async #prove(answer) {
      const socket = this.#socket
      const proof = await prove(this.#token, this.#nonce, answer)
      if (this.#closed || socket !== this.#socket) return
      if (proof === null) return void this.#refused()
      this.#awaited = PROOF_ID
      this._send(PROOF, [[0, proof]], PROOF_ID)
    }

    #welcome() {
      clearTimeout(this.#late)
      this.#isOpen = true
      this.#pause = FIRST_PAUSE
      return this.#listener('open')
    }

    #onCancelled(id) {
      const lease = this.#leases.get(id)
      if (!lease) return
      this.#end(lease, FAILED, [[4, lease.first], ...text('{}')])
      lease.controller.abort()
    }

    #onChunk(reader) {
      reader.u32()
      const lease = { id: reader.u32(), attempt: reader.u16(), controller: new AbortController() }
      lease.name = reader.str()
      lease.told = JSON.parse(reader.str())
      lease.blocks = []
      for (let left = reader.u16(); left > 0; left--) {
        const first = reader.u32()
        reader.u32()
        lease.blocks.push({ first, items: reader.items() })
      }
      lease.first = lease.blocks[0].first
      this.#leases.set(lease.id, lease)
      this.#run(lease)
    }

    async #run(lease) {
      const send = KINDS[lease.told.kind]
      const fn = this.#functions.get(lease.name)
      if (!fn || !send) return this.#refuse(lease)
      try {
        for (const block of lease.blocks) {
          const results = await this.#results(lease, block, fn)
          if (lease.controller.signal.aborted) return undefined
          const isLast = block === lease.blocks[lease.blocks.length - 1]
          this.#done(lease, block, isLast, send(results))
        }
      } catch (error) {
        this.#failed(lease, error)
      }
      return undefined
    }

    async #results(lease, { first, items }, fn) {
      const isCall = lease.told.kind === 'call'
      const results = []
      for (const [at, item] of items.entries()) {
        lease.at = first + at
        const context = new Context(this, lease, first + at, lease.attempt)
        // Waiting for what is no promise would cost a turn for each item.
        const result = isCall ? fn(...item) : fn(item, undefined, context)
        results.push(result && typeof result.then === 'function' ? await result : result)
      }
      lease.at = first
      return results
    }

    #done(lease, block, isLast, answer) {
      const fields = [
        [4, block.first],
        [4, block.items.length],
        [1, isLast ? 1 : 0],
        ...valueFields(answer),
      ]
      if (isLast) this.#end(lease, DONE, fields)
      else this._send(DONE, [[4, lease.id], ...fields])
    }

    #failed(lease, error) {
      const index = lease.at + (error && error.isResult ? error.at : 0)
      const failure = { worker: this.id, attempts: lease.attempt + 1 }
      if (error && error.isResult) {
        failure.code = 'ERR_NC_UNSERIALIZABLE_RESULT'
        failure.message = `the result of item ${index} cannot be sent: ${error.message}`
      } else failure.thrown = told(error)
      this.#end(lease, FAILED, [[4, index], ...text(JSON.stringify(failure))])
    }

    #refuse(lease) {
      const message = `this worker has no function ${lease.name.slice(0, 80)}`
      const failure = { worker: this.id, attempts: 1, code: 'ERR_NC_CODE_REFUSED', message }
      this.#end(lease, FAILED, [[4, lease.first], ...text(JSON.stringify(failure))])
    }

    /** The lease's last frame, unless it was cancelled or lost before. */
    #end(lease, kind, fields) {
      if (this.#leases.delete(lease.id)) this._send(kind, [[4, lease.id], ...fields])
    }

    _send(kind, fields, id = 0) {
      const socket = this.#socket
      if (socket && socket.readyState === 1) socket.send(frame(kind, id, fields))
    }
  }

  /** An error as data. */
  function told(error) {
    if (!(error instanceof Error)) return { value: String(error) }
    const { name, message, stack } = error
    const short = (value) => String(value).slice(0, LONGEST_TEXT)
    return { name: short(name), message: short(message), stack: short(stack) }
  }

  /** Also where the page is not served securely, which randomUUID needs. */
  function randomId() {
    const bytes = crypto.getRandomValues(new Uint8Array(16))
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  }

  return { BrowserWorker }
})
