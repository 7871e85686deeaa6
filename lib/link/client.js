'use strict'

// A connection to a machine of another process, kept up.

const { EventEmitter } = require('node:events')
const { NetworkClusterError } = require('../core/network-cluster-error.js')
const native = require('../core/native.js')
const { Batch } = require('./batch.js')
const { Operations } = require('./operations.js')
const keepAlive = require('../core/keep-alive.js')
const frames = require('./frames.js')

const { KINDS, PATH } = frames

/** Ms between attempts to connect: twice as long each time, with some chance in it. */
const FIRST_PAUSE = 50
const LONGEST_PAUSE = 2000
const DEFAULT_CONNECT_TIMEOUT = 5000

/** @typedef {import('./url.js').Address} Address */

/**
 * @typedef {object} ClientOptions
 * @property {'data' | 'events' | 'worker' | 'control'} role what the connection is for
 * @property {string} [name] of the memory or emitter; the address's unless told
 * @property {string} [token] the machine's: both sides prove that they know it, and it is not sent. A
 *   machine that does not know it, or has none, ends the client
 * @property {Record<string, unknown>} [worker] what a worker says of itself
 * @property {{ maxQueue: number, overflow: number }} [queue] how the machine is to queue events for
 *   this side
 * @property {number} [connectTimeout] ms that an operation waits for a connection; 5000 unless told
 * @property {() => boolean | Promise<boolean>} [takeOver] asked before each attempt to connect: true if
 *   this process serves the address from now on, which ends the client. What it throws is the cause of
 *   errors that tell that there is no connection
 */

/**
 * Keeps a connection to a machine up. What is asked while there is none waits, up to
 * `connectTimeout`; what was sent when the connection is lost rejects with ERR_NC_CONNECT.
 *
 * Events: 'up' (greeting) with each connection, before what waited is sent; 'down' (error) when it
 * is lost; 'moved' when `takeOver` said yes: operations that waited then reject with an error whose
 * `moved` is true and may be done where they belong now; 'closed' (error or undefined), once.
 */
class Client extends EventEmitter {
  /** @type {'taking over' | 'connecting' | 'up' | 'pausing' | 'closed'} */
  #state = 'pausing'
  #operations = new Operations()
  /** @type {import('../../native/binding.cjs').NativeLink | null} */
  #link = null
  /** @type {InstanceType<typeof Batch> | null} what is sent over it */
  #batch = null
  /** @type {Map<number, (id: number, body: Uint8Array) => void>} */
  #pushes = new Map()
  /** @type {NodeJS.Timeout | undefined} */
  #timer
  /** @type {NodeJS.Timeout | undefined} */
  #expiry
  #pause = FIRST_PAUSE
  #address
  #path
  #options
  #connectTimeout
  /** @type {unknown} why there is no connection */
  #reason = undefined
  /** @type {any} why this process does not take over */
  #cause = undefined
  /** @type {InstanceType<typeof NetworkClusterError> | null} */
  #end = null
  /** @type {Record<string, unknown> | null} */
  #greeting = null

  /**
   * @param {Address} address
   * @param {ClientOptions} options
   */
  constructor(address, options) {
    super()
    this.#options = options
    this.#connectTimeout = options.connectTimeout ?? DEFAULT_CONNECT_TIMEOUT
    const name = encodeURIComponent(options.name ?? address.name)
    this.#address = address
    this.#path = `${PATH}${options.role}/${name}`
    queueMicrotask(() => this.#connect())
  }

  /** Whether the other side has let this one in. */
  get connected() {
    return this.#state === 'up'
  }

  /** What the machine said when it let this side in last: `{ id, … }`. */
  get greeting() {
    return this.#greeting
  }

  /** Operations that are not answered yet. */
  get pending() {
    return this.#operations.size
  }

  /**
   * Asks. The process stays alive until the answer.
   * @param {number} kind
   * @param {Uint8Array} [body]
   * @returns {Promise<Uint8Array>} body of the answer, a view that is only to be kept as a copy
   */
  request(kind, body) {
    return this.begin(kind, body).promise
  }

  /**
   * As `request`, and tells the number of the operation, by which pushes and CANCEL name it.
   * @param {number} kind
   * @param {Uint8Array} [body]
   * @returns {{ id: number, promise: Promise<Uint8Array> }}
   */
  begin(kind, body) {
    const id = this.#operations.nextId()
    /** @type {Promise<Uint8Array>} */
    const promise = new Promise((resolve, reject) => {
      if (this.#end !== null) throw this.#end
      const frame = frames.frame(kind, id, body)
      checkLength(frame)
      const expires = performance.now() + this.#connectTimeout
      const waits = this.#state !== 'up'
      this.#operations.add(id, { resolve, reject, frame: waits ? frame : null, expires })
      if (waits) this.#watchExpiry()
      else this.#batch?.add(frame)
    })
    return { id, promise }
  }

  /**
   * Forgets an operation: its answer is dropped, and its promise rejects.
   * @param {number} id
   * @param {unknown} reason
   * @returns {boolean} whether the other side may have it, and is to be told
   */
  abandon(id, reason) {
    const operation = this.#operations.take(id)
    if (operation === undefined) return false
    operation.reject(reason)
    return operation.frame === null
  }

  /**
   * Sends what has no answer.
   * @param {number} kind
   * @param {number} id
   * @param {Uint8Array} [body]
   * @returns {boolean} false: there is no connection, or too much waits to be sent
   */
  send(kind, id, body) {
    if (this.#state !== 'up') return false
    const frame = frames.frame(kind, id, body)
    checkLength(frame)
    return this.#send(frame)
  }

  /**
   * Ends this connection, whose other side has said what makes no sense; another is made.
   * @param {string} reason
   */
  drop(reason) {
    this.#lost(`1002 ${reason}`)
  }

  /** Why nobody answers. */
  unreachable() {
    return this.#noConnection('no connection')
  }

  /**
   * @param {number} kind of a push
   * @param {((id: number, body: Uint8Array) => void) | null} listener gets a view that is only to be
   *   kept as a copy
   */
  onPush(kind, listener) {
    if (listener === null) this.#pushes.delete(kind)
    else this.#pushes.set(kind, listener)
  }

  /** Keeps the process alive until `unref`, one for one. */
  ref() {
    keepAlive.hold()
  }

  unref() {
    keepAlive.release()
  }

  /**
   * Ends the connection; what is pending rejects. May be called again.
   * @param {InstanceType<typeof NetworkClusterError>} [error] ERR_NC_CLOSED unless told
   */
  close(error = new NetworkClusterError('ERR_NC_CLOSED', 'the connection was closed')) {
    if (this.#end !== null) return
    this.#end = error
    this.#state = 'closed'
    clearTimeout(this.#timer)
    clearTimeout(this.#expiry)
    this.#disconnect()
    this.#operations.failAll(error)
    this.emit('closed', error.code === 'ERR_NC_CLOSED' ? undefined : error)
  }

  #connect() {
    if (this.#state !== 'pausing') return
    const taking = this.#takesOver()
    if (typeof taking === 'boolean') this.#connectUnless(taking)
    else {
      this.#state = 'taking over'
      taking.then(
        (taken) => this.#connectUnless(taken),
        () => {},
      )
    }
  }

  /** @param {boolean} taken whether this process serves the address */
  #connectUnless(taken) {
    if (this.#state === 'closed') return
    if (taken) {
      this.#move()
      return
    }
    this.#state = 'connecting'
    const { host, port } = this.#address
    const { token, worker, name, role, queue } = this.#options
    const hello = JSON.stringify({ role, name, worker, ...queue })
    const wake = () => this.#drain(link)
    const link = new native.NativeLink(host, port, this.#path, hello, token, wake)
    this.#link = link
    this.#batch = new Batch(link, (frame) => this.#refused(frame))
  }

  #takesOver() {
    const failed = (/** @type {unknown} */ error) => {
      this.#cause = error
      return false
    }
    try {
      const taking = this.#options.takeOver?.() ?? false
      if (typeof taking !== 'boolean') return taking.catch(failed)
      this.#cause = undefined
      return taking
    } catch (error) {
      return failed(error)
    }
  }

  #disconnect() {
    this.#batch?.flush()
    this.#link?.close()
    this.#link = null
    this.#batch = null
  }

  /** @param {Uint8Array} frame of an operation that there was no room for */
  #refused(frame) {
    this.#operations.take(frames.split(frame).id)?.reject(outgoingFull())
  }

  #move() {
    const error = new NetworkClusterError('ERR_NC_CONNECT', 'this process serves the address now')
    // First, so that what waited finds where it belongs.
    this.emit('moved')
    this.close(Object.assign(error, { moved: true }))
  }

  /** @param {import('../../native/binding.cjs').NativeLink} link */
  #drain(link) {
    for (const entry of link.drain()) {
      if (link !== this.#link) return
      if (typeof entry === 'string') this.#onState(entry)
      else this.#onFrames(entry)
    }
  }

  /** @param {string} state 'open {…}', or 'closed' with a code and a reason, as 'closed 4401 …' */
  #onState(state) {
    if (state.startsWith('open ')) this.#onOpen(JSON.parse(state.slice('open '.length)))
    else this.#lost(state.slice('closed '.length))
  }

  /** @param {Uint8Array} packed frames, each behind its length */
  #onFrames(packed) {
    const reader = new frames.Reader(packed)
    const link = this.#link
    while (reader.left > 0 && link === this.#link) this.#onFrame(reader.bytes(reader.u32()))
  }

  /** @param {Uint8Array} bytes */
  #onFrame(bytes) {
    try {
      const { kind, id, body } = frames.split(bytes)
      if (kind !== KINDS.ANSWER) this.#pushes.get(kind)?.(id, body)
      else this.#onAnswer(id, body)
    } catch (error) {
      if (!malformed(error)) throw error
      this.#lost(`1002 ${error.message}`)
    }
  }

  /** @param {Record<string, unknown>} greeting */
  #onOpen(greeting) {
    this.#greeting = greeting
    this.#pause = FIRST_PAUSE
    this.#reason = undefined
    this.#cause = undefined
    this.#state = 'up'
    this.emit('up', greeting)
    this.#operations.flush((frame) => this.#batch?.add(frame))
  }

  /**
   * @param {number} id
   * @param {Uint8Array} body
   */
  #onAnswer(id, body) {
    const operation = this.#operations.take(id)
    if (operation === undefined) return
    const reader = new frames.Reader(body)
    if (reader.u8() === 0) operation.resolve(reader.bytes())
    else operation.reject(errorOf(reader))
  }

  /** @param {string} reason */
  #lost(reason) {
    if (this.#state === 'closed' || this.#state === 'pausing') return
    const wasUp = this.#state === 'up'
    this.#disconnect()
    this.#reason = reason
    this.#state = 'pausing'
    const error = this.#noConnection('lost the connection')
    this.#operations.failSent(error)
    if (refused(reason)) {
      this.close(error)
      return
    }
    if (wasUp) this.emit('down', error)
    // All who lost the same machine would come at once.
    this.#later(() => this.#connect(), Math.random() * this.#pause)
    this.#pause = Math.min(LONGEST_PAUSE, 2 * this.#pause)
  }

  /**
   * @param {() => void} fn
   * @param {number} ms
   */
  #later(fn, ms) {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(fn, ms)
    this.#timer.unref()
  }

  #watchExpiry() {
    if (this.#expiry !== undefined) return
    const wait = this.#operations.nextExpiry - performance.now()
    if (wait === Infinity) return
    this.#expiry = setTimeout(() => {
      this.#expiry = undefined
      this.#operations.expire(performance.now(), this.unreachable())
      this.#watchExpiry()
    }, wait + 1)
    this.#expiry.unref()
  }

  /** @param {string} what */
  #noConnection(what) {
    const cause = this.#cause
    const reasons = [this.#reason, cause?.message].filter((reason) => reason !== undefined)
    const why = reasons.length === 0 ? '' : ` (${reasons.join('; ')})`
    const message = `${what} to ${this.#address.key}${why}`
    return new NetworkClusterError('ERR_NC_CONNECT', message, cause && { cause })
  }

  /** @param {Uint8Array} frame */
  #send(frame) {
    this.#batch?.flush()
    const packed = new frames.Writer(4 + frame.length).u32(frame.length).bytes(frame).finish()
    return this.#link !== null && this.#link.send(packed) === 1
  }
}

/** @param {string} reason */
function refused(reason) {
  return reason.startsWith(`${frames.CLOSE.REFUSED} `)
}

/**
 * What a Reader or JSON.parse throws.
 * @param {unknown} error
 * @returns {error is Error}
 */
function malformed(error) {
  return [RangeError, TypeError, SyntaxError].some((Class) => error instanceof Class)
}

/** @param {Uint8Array} frame */
function checkLength(frame) {
  if (frame.length <= frames.MAX_FRAME) return
  throw new NetworkClusterError('ERR_NC_VALUE_TOO_LARGE', 'longer than a connection may carry')
}

function outgoingFull() {
  return new NetworkClusterError('ERR_NC_QUEUE_FULL', 'too much waits to be sent')
}

/** @param {InstanceType<typeof frames.Reader>} reader */
function errorOf(reader) {
  const code = reader.str()
  const message = reader.str()
  const known = /** @type {import('../core/network-cluster-error.js').ErrorCode} */ (
    /^ERR_NC_[A-Z_]+$/.test(code) ? code : 'ERR_NC_CONNECT'
  )
  return new NetworkClusterError(known, message)
}

module.exports = { Client }
