'use strict'

// Where one subscription to a kept channel stands, and what is to be handed over next: each message
// once and in order. What is missing is fetched; what cannot be fetched is reported, never passed over.

const { isPosition, positionOf } = require('./position')

/** Messages held back while a gap is filled; what comes on top is fetched again afterwards. */
const MAX_HELD = 1000
/** Messages the server gives at most per `#history`. */
const MAX_FETCHED = 1000

/**
 * @typedef {import('./position').Position} Position
 * @typedef {Position & { data?: any }} Message
 * @typedef {object} Port
 * @property {(message: Message) => void} deliver
 * @property {(recovered: boolean, position: Position | undefined) => void} report
 * @property {(request: { since: Position, limit: number }) => Promise<any>} fetch
 */

class Track {
  /** @param {Port} port */
  constructor(port) {
    this._port = port
    /** @type {Position | undefined} of the message handed over last, or where live began */
    this.position = undefined
    /** @type {boolean | undefined} outcome of the last recovery; undefined while it is not known */
    this.recovered = undefined
    this._since = undefined
    // An epoch which has ended: what still arrives of it is late.
    this._left = undefined
    this.suspend()
  }

  /** The next subscription begins at a position of the app's, which the server may refuse. */
  startFrom(since) {
    this._since = since
    this.position = isPosition(since) ? positionOf(since) : undefined
  }

  /** The `since` of the subscription that is being sent, if it has one. */
  resume() {
    const since = this.position ?? this._since
    this._awaits = since !== undefined
    if (this._awaits) this.recovered = undefined
    return since
  }

  /** The connection or the subscription has ended; the position stays. */
  suspend() {
    // A subscription with `since` was sent and not answered yet.
    this._awaits = false
    /** @type {Message[]} */
    this._held = []
    this._dropped = 0
    // Once this offset is handed over, the recovery has succeeded.
    this._goal = undefined
    this._fill = null
  }

  /** The server's answer to the subscription. */
  answered(data) {
    const head = isPosition(data) ? positionOf(data) : undefined
    const awaited = this._awaits
    this._awaits = false
    this._since = undefined
    if (!awaited) this._moveTo(head)
    else if (data?.recovered === true && this._isAhead(head)) {
      this._goal = head.offset
      this._checkGoal()
    } else this._lose(head)
  }

  /** A message with a position has arrived, after the answer. */
  receive(message) {
    if (this._fill) this._hold(message)
    else if (!this._take(message)) this._resolve(message)
  }

  /**
   * A message without a position has arrived: a codec leaves positions away, or the app sent it by
   * other means. To go on from the last position might bring it a second time.
   */
  receiveUnplaced() {
    if (!this._awaits && !this._fill) this.position = undefined
  }

  /** Deals with a message of which there is no saying yet whether it is next. */
  _resolve(message) {
    if (message.epoch === this.position.epoch) {
      this._hold(message)
      void this._fillGap()
    } else {
      this._lose({ epoch: message.epoch, offset: message.offset - 1 })
      this._deliver(message)
    }
  }

  /** Hands the message over if it is the next one; false if others are missing before it. */
  _take(message) {
    const { position } = this
    if (!position) this._deliver(message)
    else if (message.epoch !== position.epoch) return message.epoch === this._left
    else if (message.offset === position.offset + 1) this._deliver(message)
    else return message.offset <= position.offset
    return true
  }

  _deliver(message) {
    this.position = positionOf(message)
    this._port.deliver(message)
    this._checkGoal()
  }

  _hold(message) {
    const { epoch, offset } = message
    const isCurrent = epoch === this.position.epoch
    if (isCurrent && offset <= this.position.offset) return
    if (this._held.length < MAX_HELD) this._held.push(message)
    else if (isCurrent) this._dropped = Math.max(this._dropped, offset)
    if (isCurrent) this._goal = Math.max(this._goal ?? 0, offset)
  }

  async _fillGap() {
    const fill = {}
    this._fill = fill
    while (this._held.length > 0 || this._dropped > this.position.offset) {
      const { position } = this
      const messages = await this._fetch()
      if (this._fill !== fill) return
      for (const message of messages) this._take(message)
      this._drain()
      if (this.position === position) this._skip()
    }
    this._dropped = 0
    this._fill = null
  }

  /** What the server has of the gap, oldest first; nothing if that cannot be had. */
  async _fetch() {
    const since = this.position
    const next = this._held[0] ?? { epoch: since.epoch, offset: this._dropped + 1 }
    if (next.epoch !== since.epoch) return []
    const limit = Math.min(next.offset - 1 - since.offset, MAX_FETCHED)
    try {
      const { epoch, messages } = await this._port.fetch({ since, limit })
      if (epoch !== since.epoch) return []
      return messages.map((each) => ({ data: each?.data, epoch, offset: each?.offset }))
    } catch {
      // Whatever the reason: the gap stays, and is reported.
      return []
    }
  }

  _drain() {
    let taken = 0
    while (taken < this._held.length && this._take(this._held[taken])) taken++
    this._held.splice(0, taken)
  }

  /** Gives the gap up, and goes on behind it. */
  _skip() {
    const next = this._held[0]
    if (next) this._lose({ epoch: next.epoch, offset: next.offset - 1 })
    else this._lose({ epoch: this.position.epoch, offset: this._dropped })
    this._drain()
  }

  _isAhead(head) {
    const { position } = this
    return head && position && head.epoch === position.epoch && head.offset >= position.offset
  }

  _checkGoal() {
    if (this._goal === undefined || this.position.offset < this._goal) return
    this._goal = undefined
    this._settle(true)
  }

  _lose(position) {
    this._goal = undefined
    this._moveTo(position)
    this._settle(false)
  }

  _moveTo(position) {
    if (this.position?.epoch !== position?.epoch) {
      this._left = this.position?.epoch
      this._dropped = 0
    }
    this.position = position
  }

  _settle(recovered) {
    this.recovered = recovered
    this._port.report(recovered, this.position)
  }
}

module.exports = { MAX_HELD, Track }
