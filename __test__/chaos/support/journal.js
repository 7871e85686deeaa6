'use strict'

/**
 * @typedef {object} Position
 * @property {string} epoch
 * @property {number} offset
 */

/**
 * What one client has seen of kept channels, and what of it should not have been: a message that
 * comes twice, out of order, or after a gap nobody told of.
 */
class Journal {
  /** @param {string} name */
  constructor(name) {
    this.name = name
    /** @type {string[]} */
    this.violations = []
    /** @type {Map<string, Position>} */
    this.positions = new Map()
    /** @type {Map<string, { epoch: string, offset: number, data: any }[]>} */
    this.seen = new Map()
    this.recovered = 0
    this.lost = 0
    this._jumps = []
    this._told = new Set()
  }

  /** What to subscribe with. A client that has seen nothing names an epoch that never was. */
  since(channel) {
    return this.positions.get(channel) ?? { epoch: '0', offset: 0 }
  }

  /** A subscription has been answered, and whatever comes now follows from the answer. */
  subscribed(channel, since, { epoch, offset, recovered }) {
    const known = this.positions.get(channel)
    if (recovered) {
      this.recovered++
      if (!known || known.epoch !== epoch || since.offset > offset)
        this._violation(channel, `recovered ${text(since)} at ${text({ epoch, offset })}`)
      return
    }
    if (known) this.lost++
    this.positions.set(channel, { epoch, offset })
  }

  refused(channel, { code, message }) {
    this._violation(channel, `refused with ${code}: ${message}`)
  }

  /** A message has come from the server. */
  message(channel, message) {
    const known = this.positions.get(channel)
    if (!follows(known, message)) this._violation(channel, `${text(message)} after ${text(known)}`)
    this._keep(channel, message)
  }

  /** A client that keeps positions itself has handed a message over. */
  handed(channel, message) {
    const known = this.positions.get(channel)
    const back = known && known.epoch === message.epoch && message.offset <= known.offset
    if (back) this._violation(channel, `${text(message)} after ${text(known)}`)
    else if (known && !follows(known, message))
      this._jumps.push({ channel, known, message: { ...message, data: undefined } })
    this._keep(channel, message)
  }

  /** Such a client has told how a recovery has ended; what it tells and what it hands over are two streams. */
  told(channel, { recovered, epoch, offset }) {
    if (recovered) this.recovered++
    else this.lost++
    if (!recovered) this._told.add(`${channel} ${text({ epoch, offset })}`)
  }

  /** Everything that was wrong, once nothing is under way any more. */
  faults() {
    const untold = this._jumps.filter(({ channel, message: { epoch, offset } }) => {
      return !this._told.has(`${channel} ${text({ epoch, offset: offset - 1 })}`)
    })
    return [
      ...this.violations,
      ...untold.map(
        ({ channel, known, message }) =>
          `${this.name} ${channel}: ${text(message)} after ${text(known)}, and nothing was told`,
      ),
    ]
  }

  _keep(channel, { epoch, offset, data }) {
    this.positions.set(channel, { epoch, offset })
    const seen = this.seen.get(channel) ?? []
    this.seen.set(channel, seen)
    seen.push({ epoch, offset, data })
  }

  _violation(channel, what) {
    this.violations.push(`${this.name} ${channel}: ${what}`)
  }
}

const follows = (known, { epoch, offset }) =>
  known !== undefined && known.epoch === epoch && offset === known.offset + 1

const text = (position) => (position ? `${position.epoch}/${position.offset}` : 'nothing')

module.exports = { Journal }
