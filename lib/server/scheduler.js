'use strict'

// Messages that are to be published later: timers of the core's, which the server's storage keeps.

const StreamError = require('../core/stream-error')

/**
 * @typedef {{ channel: string, data?: any, key?: string }} ScheduledMessage
 * @typedef {{ id: string, due: number }} Scheduled
 */

/** Has the core publish at a time, again and again, or by the calendar (`server.scheduler`). */
class Scheduler {
  /** @param {import('./stream-port')} streams */
  constructor(streams) {
    this._streams = streams
  }

  /**
   * @param {Date | number} when
   * @param {ScheduledMessage} message
   * @param {{ id?: string }} [options]
   */
  async at(when, message, { id } = {}) {
    return this._set(message, { id, due: time(when) })
  }

  /**
   * @param {number} ms
   * @param {ScheduledMessage} message
   * @param {{ id?: string }} [options]
   */
  async after(ms, message, { id } = {}) {
    return this._set(message, { id, due: Date.now() + time(ms) })
  }

  /**
   * @param {number} ms
   * @param {ScheduledMessage} message
   * @param {{ id?: string, start?: Date | number }} [options]
   */
  async every(ms, message, { id, start } = {}) {
    const due = start === undefined ? undefined : time(start)
    return this._set(message, { id, every: time(ms), due })
  }

  /**
   * @param {string} expression
   * @param {ScheduledMessage} message
   * @param {{ id?: string, timezone?: string }} [options]
   */
  async cron(expression, message, { id, timezone } = {}) {
    return this._set(message, { id, cron: expression, timezone })
  }

  /** @returns {Promise<boolean>} whether there was such a timer */
  async cancel(id) {
    const { cancelled } = await this._streams.request('#cancel', { id })
    return cancelled
  }

  /** @param {{ limit?: number, after?: string }} [options] */
  async list({ limit, after } = {}) {
    return this._streams.request('#timers', { limit, after })
  }

  /**
   * @param {ScheduledMessage} message
   * @returns {Promise<Scheduled>}
   */
  async _set({ channel, data, key }, fields) {
    this._streams.need()
    const json = this._streams.encode(data)
    return this._streams.request('#schedule', { channel, key, ...fields }, json)
  }
}

/** JSON has no NaN: the core would take it for a time that was not given. */
function time(value) {
  const number = value instanceof Date ? value.getTime() : value
  if (Number.isFinite(number)) return number
  throw new StreamError(`Not a time: ${value}`, 'ERR_BAD_SCHEDULE')
}

module.exports = Scheduler
