'use strict'

// What a client gets to know of a channel's past where outbound middleware has a say in it: that
// decides on each message as if it were sent now.

const { OP } = require('../core/commands')
const AGAction = require('../server/action')

/**
 * @typedef {{ data?: any, offset: number, timestamp: number }} Message
 * @typedef {{ epoch: string, offset: number, messages: Message[], more: boolean }} Page
 */

const history = {
  /** @param {string} json what the client would be told without middleware */
  async _onHistoryAsk(seq, channel, json) {
    /** @type {Page} */
    const page = JSON.parse(json)
    const texts = []
    for (const message of page.messages) {
      // Nobody waits for the answer any more.
      if (this.state !== this.OPEN) break
      const text = await this._historyText(channel, message)
      if (text !== undefined) texts.push(text)
    }
    this._reply(OP.REPLACE, seq, (command) => command.json(answerOf(page, texts)))
  },

  /**
   * JSON text of a message as it may pass; undefined if it may not, or cannot be encoded.
   * @param {string} channel
   * @param {Message} message
   */
  async _historyText(channel, { data, offset, timestamp }) {
    const { server } = this
    const action = new AGAction()
    action.socket = this
    action.type = AGAction.PUBLISH_OUT
    action.channel = channel
    action.data = server._streams.decode(data)
    const stream = this.middlewareOutboundStream
    let passed
    try {
      passed = await server._processMiddlewareAction(stream, action, this)
    } catch {
      return undefined
    }
    try {
      const text = this._encodeData(passed.data)
      const member = text === undefined ? '' : `"data":${text},`
      return `{${member}"offset":${offset},"timestamp":${timestamp}}`
    } catch (error) {
      this.emitError(error)
      return undefined
    }
  },
}

/** `until` is how far the answer reaches: what it lacks up to there is not for this client. */
function answerOf({ epoch, offset, more, messages }, texts) {
  const until = messages.at(-1)?.offset
  const members = JSON.stringify({ epoch, offset, more, until })
  return `${members.slice(0, -1)},"messages":[${texts.join(',')}]}`
}

module.exports = history
