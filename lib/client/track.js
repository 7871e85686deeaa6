'use strict'

// Where one subscription to a kept channel stands, and what is to be handed over next: each message
// once and in order. What is missing is fetched; what the history leaves out is not for this client;
// what cannot be fetched is reported, never passed over.

const { Pace } = require('./pace')
const { isPosition, positionOf } = require('./position')

/** Messages held back while a gap is filled; what comes on top is fetched again afterwards. */
const MAX_HELD = 1000
/** Messages the server gives at most per `#history`. */
const MAX_FETCHED = 1000
/** Milliseconds without a message after which the rest of what is replayed is asked for. */
const STALLED = 1000

/**
 * @typedef {import('./position').Position} Position
 * @typedef {Position & { data?: any }} Message
 * @typedef {{ messages: Message[], until: number }} Page up to which offset it is complete
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
    this._pace = new Pace()
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
    // What is replayed up to here has not come.
    this._stalled = 0
    // Once everything up to this offset is handed over, the recovery has succeeded.
    this._goal = undefined
    this._fill = null
    clearTimeout(this._timer)
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
      this._watchReplay()
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

  /** The last messages of what is replayed may not be for this client: then nothing shows it. */
  _watchReplay() {
    const { position } = this
    clearTimeout(this._timer)
    if (this._goal === undefined || !position) return
    this._timer = setTimeout(() => {
      if (this._fill || this._goal === undefined) return
      if (this.position !== position) this._watchReplay()
      else {
        this._stalled = this._goal
        void this._fillGap()
      }
    }, STALLED)
  }

  async _fillGap() {
    const fill = {}
    this._fill = fill
    clearTimeout(this._timer)
    let further = false
    while (this._held.length > 0 || Math.max(this._dropped, this._stalled) > this.position.offset) {
      if (this._held.length > 0 && this._held[0].epoch !== this.position.epoch) {
        this._enterEpoch()
        continue
      }
      const pause = further ? 0 : this._pace.next()
      if (pause > 0) await this._sleep(pause)
      const missing = this._lastMissing()
      const { messages, until } = await this._fetch(missing)
      if (this._fill !== fill) return
      // An answer has its limits: the rest of what was asked for need not wait.
      further = until > this.position.offset && until < missing
      if (until > this.position.offset) this._passTo(until, messages)
      else this._giveUp(missing)
      this._drain()
    }
    this._dropped = 0
    this._stalled = 0
    this._fill = null
    this._watchReplay()
  }

  /** Never resolves if this is suspended meanwhile. */
  _sleep(pause) {
    return new Promise((resolve) => (this._timer = setTimeout(resolve, pause)))
  }

  /** Offset of the last message known to be missing, as far as the epoch goes. */
  _lastMissing() {
    const { epoch, offset } = this.position
    let last = offset
    let missing = Math.max(this._dropped, this._stalled)
    for (const message of this._held) {
      if (message.epoch !== epoch) break
      if (message.offset > last + 1) missing = Math.max(missing, message.offset - 1)
      last = Math.max(last, message.offset)
    }
    return missing
  }

  /**
   * What the server has for this client after the position, oldest first; nothing if that cannot
   * be had.
   * @param {number} missing
   * @returns {Promise<Page>}
   */
  async _fetch(missing) {
    const since = this.position
    const limit = Math.min(missing - since.offset, MAX_FETCHED)
    try {
      return pageOf(await this._port.fetch({ since, limit }), since)
    } catch {
      // Whatever the reason: the gap stays, and is reported.
      return { messages: [], until: since.offset }
    }
  }

  /** Hands over what there is up to an offset: what there is not is not for this client. */
  _passTo(until, messages) {
    for (const message of this._takeHeld(until, messages)) {
      if (message.offset > this.position.offset) this._deliver(message)
    }
    if (this.position.offset < until) this.position = { epoch: this.position.epoch, offset: until }
    this._checkGoal()
  }

  /** Gives up what is missing, and goes on with what is held up to there and right behind it. */
  _giveUp(missing) {
    const held = this._takeHeld(missing + 1, [])
    for (const message of held) {
      const { epoch, offset } = message
      if (offset > this.position.offset + 1) this._lose({ epoch, offset: offset - 1 })
      if (offset > this.position.offset) this._deliver(message)
    }
    // What is replayed may still come.
    this._stalled = 0
    if (held.length === 0 && this._dropped > this.position.offset) {
      this._lose({ epoch: this.position.epoch, offset: this._dropped })
    }
  }

  /** Takes what is held of this epoch up to an offset, together with others, in order. */
  _takeHeld(until, others) {
    const { epoch } = this.position
    const end = this._held.findIndex((message) => message.epoch !== epoch)
    const held = end < 0 ? this._held : this._held.slice(0, end)
    const later = end < 0 ? [] : this._held.slice(end)
    this._held = [...held.filter(({ offset }) => offset > until), ...later]
    const taken = held.filter(({ offset }) => offset <= until)
    return [...others, ...taken].sort((a, b) => a.offset - b.offset)
  }

  _enterEpoch() {
    const [{ epoch, offset }] = this._held
    this._lose({ epoch, offset: offset - 1 })
    this._drain()
  }

  _drain() {
    let taken = 0
    while (taken < this._held.length && this._take(this._held[taken])) taken++
    this._held.splice(0, taken)
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
      this._stalled = 0
    }
    this.position = position
  }

  _settle(recovered) {
    this.recovered = recovered
    this._port.report(recovered, this.position)
  }
}

/**
 * What an answer says about the messages after `since`. It speaks for everything up to its last
 * message, up to `until` if it has that, and up to the channel's head if there is no more.
 * @param {any} answer of the server's, to be believed in nothing
 * @param {Position} since
 * @returns {Page}
 */
function pageOf(answer, { epoch, offset }) {
  if (answer.epoch !== epoch) return { messages: [], until: offset }
  const messages = answer.messages
    .filter((each) => Number.isSafeInteger(each?.offset) && each.offset > offset)
    .map((each) => ({ data: each.data, epoch, offset: each.offset }))
  const ends = [answer.until, answer.more === false && answer.offset].filter(Number.isSafeInteger)
  const offsets = messages.map((message) => message.offset)
  return { messages, until: Math.max(offset, ...offsets, ...ends) }
}

module.exports = { MAX_HELD, Track }
